"""The state of each entity, in one query: how fresh it is, what is under way, what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import psycopg
from psycopg.rows import class_row

from dagster_project.ingestion.records.raw_tables import kinds_of
from dagster_project.sources.contract import SourceSpec

HELD_BACK_SECONDS = 15 * 60  # that a transaction at a source may be open before somebody should know of it


@dataclass(frozen=True, slots=True)
class EntityStatus:
    """The state of one entity.

    Attributes:
        source, entity: which one.
        state: "idle", "running", "error" or "paused" (the day's quota was used up); "never" before the first sync.
        last_success_at: when the last sync that succeeded began.
        lag: how long ago that is.
        last_sync_status, last_sync_at, last_error: how the newest sync went that has ended, and why it failed.
        data_through: the newest day that was fully read.
        days_read: days that were fully read.
        open_checkpoints: windows that a sync was interrupted in, to be resumed by the next.
        quarantined: records and messages that could not be read, and were not resolved.
        quota_used: requests sent to the source today, for all its entities together.
        may_miss: rows may be missed by the way in which it is read; None where that is no question.
        ceiling_age_seconds, ceiling_holder_pid: how long a transaction at the source had been open that held back what
            could be read at the last sync, and its process; None where none had.
    """

    source: str
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
    quota_used: int
    may_miss: bool | None
    ceiling_age_seconds: int | None
    ceiling_holder_pid: int | None


def sync_status(conn: psycopg.Connection, sources: Sequence[SourceSpec], today: date) -> list[EntityStatus]:
    """The state of each entity of some sources; not of a source that is not missed and was never read.

    Args:
        today: the current day in the account's zone, for the day's quota.
    """
    entities = [(source, entity) for source in sources for entity in source.entities]
    asked = {
        "today": today,
        "sources": [source.name for source, _ in entities],
        "entities": [entity.name for _, entity in entities],
        "kinds": [" ".join(kinds_of(entity)) for _, entity in entities],
        "are_continuous": [source.is_continuous for source, _ in entities],
    }
    with conn.cursor(row_factory=class_row(EntityStatus)) as cursor:
        return cursor.execute(_STATUS, asked).fetchall()


_STATUS = """
    select e.source, e.entity, coalesce(s.sync_status, 'never') as state, s.last_sync_timestamp as last_success_at,
           now() - s.last_sync_timestamp as lag,
           l.status as last_sync_status, l.started_at as last_sync_at,
           coalesce(l.error_message, l.metadata ->> 'reason') as last_error,
           w.data_through, w.days_read, c.open_checkpoints, q.quarantined,
           (select coalesce(sum(request_count), 0)::int
            from ops.api_usage as u where u.source = e.source and usage_day = %(today)s) as quota_used,
           s.may_miss, s.ceiling_age_seconds, s.ceiling_holder_pid
    from unnest(%(sources)s::text[], %(entities)s::text[], %(kinds)s::text[], %(are_continuous)s::boolean[])
        as e (source, entity, kinds, is_continuous)
    left join ops.sync_states s on (s.source, s.entity_type) = (e.source, e.entity)
    left join lateral (
        select status, started_at, error_message, metadata from ops.sync_logs
        where (source, entity_type) = (e.source, e.entity) and status <> 'in_progress'
        order by started_at desc limit 1
    ) l on true
    cross join lateral (
        select max(window_day) as data_through, count(*) as days_read from ops.sync_windows
        where (source, entity_type) = (e.source, e.entity)
    ) w
    cross join lateral (
        select count(*) as open_checkpoints from ops.sync_checkpoints
        where status = 'active' and (source, entity_type) = (e.source, e.entity)
    ) c
    cross join lateral (
        select count(*) as quarantined from raw.quarantine
        where resolved_at is null and source = e.source and entity_type = any(string_to_array(e.kinds, ' '))
    ) q
    where e.is_continuous or s.id is not null
    order by e.source, e.entity
"""
