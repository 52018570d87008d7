"""What somebody should know of: syncs that keep failing, data that is no longer fresh, quarantine that grows."""

from dataclasses import dataclass

import psycopg
from psycopg.types.json import Jsonb

RECIPIENT = "operators"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong now. `key` tells one trouble from another, so that each is written down once."""

    key: str
    type: str
    title: str
    message: str


def watch(conn: psycopg.Connection, *, freshness_minutes: int) -> list[Alarm]:
    """Look for trouble and write each that is new to ops.notifications; one that is over is marked read.

    Returns:
        what was written now.
    """
    with conn.transaction():
        alarms = [*_failing(conn), *_stale(conn, freshness_minutes), *_quarantine(conn)]
        keys = [alarm.key for alarm in alarms]
        conn.execute(
            """
            update ops.notifications set is_read = true
            where user_id = %s and not is_read and metadata ? 'key' and not metadata ->> 'key' = any(%s)
            """,
            [RECIPIENT, keys],
        )
        known = {
            row[0]
            for row in conn.execute(
                "select metadata ->> 'key' from ops.notifications where user_id = %s and not is_read", [RECIPIENT]
            )
        }
        new = [alarm for alarm in alarms if alarm.key not in known]
        for alarm in new:
            conn.execute(
                "insert into ops.notifications (user_id, title, message, type, metadata) values (%s, %s, %s, %s, %s)",
                [RECIPIENT, alarm.title, alarm.message, alarm.type, Jsonb({"key": alarm.key})],
            )
    return new


def notifications(conn: psycopg.Connection) -> list[dict[str, str]]:
    """What is unread, newest first."""
    rows = conn.execute(
        "select created_at, type, title, message from ops.notifications where not is_read order by created_at desc"
    ).fetchall()
    return [{"at": row[0].isoformat(), "type": row[1], "title": row[2], "message": row[3]} for row in rows]


def _failing(conn: psycopg.Connection) -> list[Alarm]:
    rows = conn.execute(
        """
        select entity_type, max(error_message) filter (where nth = 1)
        from (
            select entity_type, status, error_message,
                   row_number() over (partition by entity_type order by started_at desc) as nth
            from ops.sync_logs where status <> 'in_progress'
        ) as logs
        where nth <= 2 group by entity_type having count(*) filter (where status = 'error') = 2
        """
    ).fetchall()
    return [
        Alarm(f"failing:{entity}", "error", f"Sync of {entity} failed twice in a row", reason or "no reason was noted")
        for entity, reason in rows
    ]


def _stale(conn: psycopg.Connection, freshness_minutes: int) -> list[Alarm]:
    rows = conn.execute(
        """
        select entity_type, to_char(max(last_sync_timestamp) at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
        from ops.sync_states where entity_type in ('chats', 'contacts')
        group by entity_type having max(last_sync_timestamp) < now() - make_interval(mins => %s)
        """,
        [freshness_minutes],
    ).fetchall()
    return [
        Alarm(f"stale:{entity}", "warning", f"No fresh {entity}", f"the last successful sync ended {last} UTC")
        for entity, last in rows
    ]


def _quarantine(conn: psycopg.Connection) -> list[Alarm]:
    """A quarantine that is larger than when it was last written of is a new trouble."""
    rows = conn.execute(
        "select entity_type, count(*) from raw.quarantine where resolved_at is null group by entity_type"
    ).fetchall()
    return [
        Alarm(
            f"quarantine:{entity}:{count}",
            "warning",
            f"{count} records of {entity} in quarantine",
            "see raw.quarantine; after a fix run the job retry_quarantine",
        )
        for entity, count in rows
    ]
