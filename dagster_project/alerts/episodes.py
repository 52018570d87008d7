"""Episodes: each trouble is one row of ops.notifications from when it is first seen until it is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dagster_project.alerts.troubles import Look, Trouble

RECIPIENT = "operators"
# What comes back so soon is the same episode again, and is over only when it has kept away for as long.
SETTLING = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode as it is listed."""

    id: str
    kind: str
    subject: str
    severity: str
    title: str
    value: float | None
    opened_at: datetime
    last_seen_at: datetime
    recovered_at: datetime | None
    acknowledged_at: datetime | None
    muted_until: datetime | None
    sent_count: int
    waiting_count: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Titles of what is new and of what is over."""

    opened: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()


def record(conn: psycopg.Connection, look: Look) -> Changes:
    """Write what a look found: new episodes are opened, known ones seen again, and those that are over closed.

    One transaction; several at once are written one after the other.
    """
    with conn.transaction():
        conn.execute("lock table ops.notifications in share row exclusive mode")
        opened = [trouble.title for trouble in look.troubles if _open(conn, trouble)]
        recovered = conn.execute(
            """
            update ops.notifications set recovered_at = now(), is_read = true
            where recovered_at is null
                and kind = any(%(kinds)s)
                and not (kind, subject) in (select * from unnest(%(seen_kinds)s::text[], %(seen_subjects)s::text[]))
                and (times_opened = 1 or last_seen_at < now() - %(settling)s)
            returning title
            """,
            {
                "kinds": sorted(look.kinds),
                "seen_kinds": [trouble.kind for trouble in look.troubles],
                "seen_subjects": [trouble.subject for trouble in look.troubles],
                "settling": SETTLING,
            },
        ).fetchall()
    return Changes(tuple(opened), tuple(row[0] for row in recovered))


def _open(conn: psycopg.Connection, trouble: Trouble) -> bool:
    """Write one trouble; whether it was not known."""
    values = {
        "user": RECIPIENT,
        "kind": trouble.kind,
        "subject": trouble.subject,
        "type": trouble.severity,
        "title": trouble.title,
        "message": trouble.detail,
        "value": trouble.value,
        "source": trouble.source,
        "metadata": Jsonb({"run_id": trouble.run_id} if trouble.run_id else {}),
        "settling": SETTLING,
    }
    known = conn.execute(
        """
        update ops.notifications set
            -- What has grown is to be looked at again.
            acknowledged_at = case when kind <> 'quarantine_grew' or %(value)s <= value then acknowledged_at end,
            is_read = is_read and (kind <> 'quarantine_grew' or %(value)s <= value),
            type = %(type)s, title = %(title)s, message = %(message)s, value = %(value)s, metadata = %(metadata)s,
            last_seen_at = now()
        where kind = %(kind)s and subject = %(subject)s and recovered_at is null
        returning id
        """,
        values,
    ).fetchone()
    if known:
        return False
    again = conn.execute(
        """
        update ops.notifications set
            type = %(type)s, title = %(title)s, message = %(message)s, value = %(value)s, metadata = %(metadata)s,
            last_seen_at = now(), recovered_at = null, acknowledged_at = null, is_read = false,
            times_opened = times_opened + 1
        where id = (
            select id from ops.notifications
            where kind = %(kind)s and subject = %(subject)s and recovered_at > now() - %(settling)s
            order by recovered_at desc limit 1
        )
        returning id
        """,
        values,
    ).fetchone()
    if not again:
        conn.execute(
            """
            insert into ops.notifications
                (user_id, kind, subject, type, title, message, value, source, metadata, last_seen_at)
            values (%(user)s, %(kind)s, %(subject)s, %(type)s, %(title)s, %(message)s, %(value)s, %(source)s,
                    %(metadata)s, now())
            """,
            values,
        )
    return True


def listed(conn: psycopg.Connection, *, past: bool, limit: int = 50) -> list[Episode]:
    """The episodes that last, newest first; with `past` also those that are over."""
    with conn.cursor(row_factory=class_row(Episode)) as cursor:
        return cursor.execute(
            """
            select id, kind, subject, type as severity, title, value, created_at as opened_at,
                   coalesce(last_seen_at, created_at) as last_seen_at, recovered_at, acknowledged_at,
                   (select max(muted_until) from ops.notification_mutes as mutes
                    where muted_until > now() and mutes.kind = notifications.kind
                        and (mutes.subject is null or mutes.subject = notifications.subject)) as muted_until,
                   (select count(*) filter (where status = 'sent') from ops.notification_deliveries
                    where notification_id = notifications.id) as sent_count,
                   (select count(*) filter (where status = 'pending') from ops.notification_deliveries
                    where notification_id = notifications.id) as waiting_count
            from ops.notifications
            where kind is not null and (%s or recovered_at is null)
            order by recovered_at is null desc, created_at desc
            limit %s
            """,
            [past, limit],
        ).fetchall()


def unread(conn: psycopg.Connection) -> list[dict[str, str]]:
    """What nobody has acknowledged and is not over, newest first, as `b2chat status` shows it."""
    rows = conn.execute(
        "select created_at, type, title, message from ops.notifications where not is_read order by created_at desc"
    ).fetchall()
    return [{"at": row[0].isoformat(), "type": row[1], "title": row[2], "message": row[3]} for row in rows]


def acknowledge(conn: psycopg.Connection, beginning: str) -> str | None:
    """Note that somebody knows of the open episode whose id begins so; its title, or None where none or several do."""
    row = conn.execute(
        """
        update ops.notifications set acknowledged_at = now(), is_read = true
        where recovered_at is null and kind is not null and starts_with(id, %s)
            and (select count(*) from ops.notifications
                 where recovered_at is null and kind is not null and starts_with(id, %s)) = 1
        returning title
        """,
        [beginning.lower(), beginning.lower()],
    ).fetchone()
    return row[0] if row else None


def mute(conn: psycopg.Connection, kind: str, subject: str | None, until: datetime, by: str) -> None:
    """Send nothing of a kind, or of one subject of it, until then; it replaces an earlier mute of the same."""
    with conn.transaction():
        unmute(conn, kind, subject)
        conn.execute(
            "insert into ops.notification_mutes (kind, subject, muted_until, muted_by) values (%s, %s, %s, %s)",
            [kind, subject, until, by],
        )


def unmute(conn: psycopg.Connection, kind: str, subject: str | None) -> int:
    """End a mute; returns whether there was one, 1 or 0. Mutes that have run out go with it."""
    conn.execute("delete from ops.notification_mutes where muted_until <= now()")
    return conn.execute(
        "delete from ops.notification_mutes where kind = %s and subject is not distinct from %s", [kind, subject]
    ).rowcount
