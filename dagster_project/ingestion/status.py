"""The state of each entity, in one query: how fresh it is, what is under way, what is wrong."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class EntityStatus:
    """The state of one entity.

    Attributes:
        entity: "chats" or "contacts".
        state: "idle", "running", "error" or "paused" (the ration was used up); "never" before the first sync.
        last_success_at: when the last sync that succeeded began.
        lag: how long ago that is.
        last_sync_status, last_sync_at, last_error: how the newest sync went that has ended, and why it failed.
        data_through: the newest day that was read whole.
        days_read: days that were read whole.
        open_checkpoints: windows that a sync was broken off in, to be taken up by the next.
        quarantined: records and messages that could not be read, and were not resolved.
        ration_used: requests sent today, for all entities together.
    """

    entity: str
    state: str
    last_success_at: datetime | None
    lag: timedelta | None
    last_sync_status: str | None
    last_sync_at: datetime | None
    last_error: str | None
    data_through: date | None
    days_read: int
    open_checkpoints: int
    quarantined: int
    ration_used: int


def sync_status(conn: psycopg.Connection, today: date) -> list[EntityStatus]:
    """The state of chats and of contacts.

    Args:
        today: the current day in the account's zone, for the day's ration.
    """
    with conn.cursor(row_factory=class_row(EntityStatus)) as cursor:
        return cursor.execute(_STATUS, {"today": today}).fetchall()


_STATUS = """
    select e.entity, coalesce(s.sync_status, 'never') as state, s.last_sync_timestamp as last_success_at,
           now() - s.last_sync_timestamp as lag,
           l.status as last_sync_status, l.started_at as last_sync_at,
           coalesce(l.error_message, l.metadata ->> 'reason') as last_error,
           w.data_through, w.days_read, c.open_checkpoints, q.quarantined,
           (select coalesce(sum(request_count), 0)::int from ops.api_usage where usage_day = %(today)s) as ration_used
    from (values ('chats', array['chats', 'message']), ('contacts', array['contacts'])) as e (entity, kinds)
    left join ops.sync_states s on s.entity_type = e.entity
    left join lateral (
        select status, started_at, error_message, metadata from ops.sync_logs
        where entity_type = e.entity and status <> 'in_progress'
        order by started_at desc limit 1
    ) l on true
    cross join lateral (
        select max(window_day) as data_through, count(*) as days_read from ops.sync_windows
        where entity_type = e.entity
    ) w
    cross join lateral (
        select count(*) as open_checkpoints from ops.sync_checkpoints
        where status = 'active' and entity_type = e.entity
    ) c
    cross join lateral (
        select count(*) as quarantined from raw.quarantine
        where resolved_at is null and entity_type = any(e.kinds)
    ) q
    order by e.entity
"""
