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
    found = {(trouble.kind, trouble.subject): _row(trouble) for trouble in look.troubles}
    with conn.transaction():
        conn.execute("lock table ops.notifications in share row exclusive mode")
        values = {"found": Jsonb(list(found.values())), "user": RECIPIENT, "settling": SETTLING}
        opened = conn.execute(_OPEN, values).fetchall()
        recovered = conn.execute(
            """
            update ops.notifications set recovered_at = now(), is_read = true
            where recovered_at is null
                and kind = any(%(kinds)s)
                and last_seen_at < now()
                and (times_opened = 1 or last_seen_at < now() - %(settling)s)
            returning title
            """,
            {"kinds": sorted(look.kinds), "settling": SETTLING},
        ).fetchall()
    return Changes(tuple(row[0] for row in opened), tuple(row[0] for row in recovered))


def _row(trouble: Trouble) -> dict[str, object]:
    return {
        "kind": trouble.kind,
        "subject": trouble.subject,
        "type": trouble.severity,
        "title": trouble.title,
        "message": trouble.detail,
        "value": trouble.value,
        "source": trouble.source,
        "metadata": {"run_id": trouble.run_id} if trouble.run_id else {},
    }


# All troubles of a look at once: those whose episode lasts are seen again, those that came back soon go on with their
# last one, and the others begin one. What has grown is to be looked at again.
_OPEN = """
    with found as (
        select * from jsonb_to_recordset(%(found)s) as found (
            kind text, subject text, type text, title text, message text, value float, source text, metadata jsonb
        )
    ),

    known as (
        update ops.notifications as episodes set
            acknowledged_at = case
                when episodes.kind <> 'quarantine_grew' or found.value <= episodes.value then episodes.acknowledged_at
            end,
            is_read = episodes.is_read and (episodes.kind <> 'quarantine_grew' or found.value <= episodes.value),
            type = found.type, title = found.title, message = found.message, value = found.value,
            metadata = found.metadata, last_seen_at = now()
        from found
        where episodes.kind = found.kind and episodes.subject = found.subject and episodes.recovered_at is null
        returning episodes.kind, episodes.subject
    ),

    recent as (
        select distinct on (episodes.kind, episodes.subject) episodes.id, found.*
        from ops.notifications as episodes
        inner join found on found.kind = episodes.kind and found.subject = episodes.subject
        where episodes.recovered_at > now() - %(settling)s
            and not (found.kind, found.subject) in (select kind, subject from known)
        order by episodes.kind, episodes.subject, episodes.recovered_at desc
    ),

    again as (
        update ops.notifications as episodes set
            type = recent.type, title = recent.title, message = recent.message, value = recent.value,
            metadata = recent.metadata, last_seen_at = now(), recovered_at = null, acknowledged_at = null,
            is_read = false, times_opened = episodes.times_opened + 1
        from recent
        where episodes.id = recent.id
        returning episodes.kind, episodes.subject, episodes.title
    ),

    begun as (
        insert into ops.notifications
            (user_id, kind, subject, type, title, message, value, source, metadata, last_seen_at)
        select %(user)s, kind, subject, type, title, message, value, source, metadata, now()
        from found
        where not (kind, subject) in (select kind, subject from known)
            and not (kind, subject) in (select kind, subject from recent)
        returning title
    )

    select title from again
    union all
    select title from begun
"""


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
