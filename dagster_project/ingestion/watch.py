"""What somebody should know of: syncs that keep failing, data that is no longer fresh, quarantine that grows."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.sources.contract import SourceSpec

RECIPIENT = "operators"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong now. `key` tells one trouble from another, so that each is written down once."""

    source: str
    key: str
    type: str
    title: str
    message: str


def watch(conn: psycopg.Connection, sources: Sequence[SourceSpec], *, freshness_minutes: int) -> list[Alarm]:
    """Look for trouble and write each that is new to ops.notifications; one that is over is marked read.

    Returns:
        what was written now.
    """
    with conn.transaction():
        alarms = [*_failing(conn), *_stale(conn, sources, freshness_minutes), *_quarantine(conn)]
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
                """
                insert into ops.notifications (user_id, source, title, message, type, metadata)
                values (%s, %s, %s, %s, %s, %s)
                """,
                [RECIPIENT, alarm.source, alarm.title, alarm.message, alarm.type, Jsonb({"key": alarm.key})],
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
        select source, entity_type, max(error_message) filter (where nth = 1)
        from (
            select source, entity_type, status, error_message,
                   row_number() over (partition by source, entity_type order by started_at desc) as nth
            from ops.sync_logs where status <> 'in_progress'
        ) as logs
        where nth <= 2 group by source, entity_type having count(*) filter (where status = 'error') = 2
        """
    ).fetchall()
    return [
        Alarm(
            source,
            f"failing:{source}:{entity}",
            "error",
            f"Sync of {source} {entity} failed twice in a row",
            reason or "no reason was noted",
        )
        for source, entity, reason in rows
    ]


def _stale(conn: psycopg.Connection, sources: Sequence[SourceSpec], freshness_minutes: int) -> list[Alarm]:
    rows = conn.execute(
        """
        select source, entity_type, to_char(last_sync_timestamp at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
        from ops.sync_states where source = any(%s) and last_sync_timestamp < now() - make_interval(mins => %s)
        """,
        [[source.name for source in sources if source.is_continuous], freshness_minutes],
    ).fetchall()
    return [
        Alarm(
            source,
            f"stale:{source}:{entity}",
            "warning",
            f"No fresh {source} {entity}",
            f"the last successful sync ended {last} UTC",
        )
        for source, entity, last in rows
    ]


def _quarantine(conn: psycopg.Connection) -> list[Alarm]:
    """A quarantine that is larger than when it was last written of is a new trouble."""
    rows = conn.execute(
        "select source, entity_type, count(*) from raw.quarantine where resolved_at is null group by 1, 2"
    ).fetchall()
    return [
        Alarm(
            source,
            f"quarantine:{source}:{entity}:{count}",
            "warning",
            f"{count} records of {source} {entity} in quarantine",
            "see raw.quarantine; after a fix run the job retry_quarantine",
        )
        for source, entity, count in rows
    ]
