"""The log of synchronization: ops.sync_logs (a row a sync), ops.sync_states (a row an entity), ops.sync_windows."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, cast

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.ingestion.logs import error_log
from dagster_project.ingestion.records.page_loads import PageResult
from dagster_project.sources.contract import EntitySpec, Page, Scope, Watermark
from dagster_project.warehouse.access import audit_log

# A reading of many days that was interrupted longer ago begins anew.
RESUMED_FOR = timedelta(days=7)


@dataclass(slots=True)
class SyncCounts:
    """What a sync has brought so far, in pages and records.

    Attributes:
        records: each once, however often its window was read to be sure of it.
        deleted: known records that are gone, and marked as deleted.
        missing: known records that were not returned, and are not marked (see `deletions.believed`).
        suppressed: records of people who were erased, of which nothing was kept.
    """

    pages: int = 0
    records: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    duplicates: int = 0
    suppressed: int = 0
    rejected_parts: int = 0
    deleted: int = 0
    missing: int = 0
    restored: int = 0
    new_fields: int = 0
    last_load_id: int | None = None

    def add(self, page: Page, result: PageResult) -> None:
        """Count one more page."""
        self.pages += 1
        self.records += page.received - page.repeated
        for name in (
            "new",
            "changed",
            "unchanged",
            "quarantined",
            "duplicates",
            "suppressed",
            "rejected_parts",
            "deleted",
            "restored",
            "new_fields",
        ):
            setattr(self, name, getattr(self, name) + getattr(result, name))
        self.last_load_id = result.load_id


def close_unfinished(conn: psycopg.Connection) -> int:
    """Close the logs of syncs that died; only the one writer may call it. Returns how many there were."""
    with conn.transaction():
        dead = conn.execute(
            """
            update ops.sync_logs set status = 'error', completed_at = %s, error_message = 'did not finish'
            where status = 'in_progress'
            returning id, source, entity_type
            """,
            (datetime.now(UTC),),
        ).fetchall()
        for sync_id, source, entity in dead:
            error_log.note_killed(conn, sync_id, f"{source} {entity}")
        conn.execute("update ops.sync_states set sync_status = 'error' where sync_status = 'running'")
    return len(dead)


def resumed_since(conn: psycopg.Connection, entity: EntitySpec, scope: Scope) -> datetime | None:
    """When the reading began that a sync resumes: the newest one of the same days, where it did not come to its end.

    None when there is nothing to resume, or it began more than `RESUMED_FOR` ago. One whose windows did not add up
    has come to its end: whoever asks for all days again wants what is new in those that it has read.
    """
    row = conn.execute(
        """
        select status = 'error' or coalesce((metadata ->> 'paused')::boolean, false),
            (metadata ->> 'reads_since')::timestamptz
        from ops.sync_logs
        where (source, entity_type) = (%s, %s) and operation = %s
          and metadata ->> 'day_from' is not distinct from %s and metadata ->> 'day_to' is not distinct from %s
        order by started_at desc
        limit 1
        """,
        (*entity.id, scope.mode, scope.day_from and str(scope.day_from), scope.day_to and str(scope.day_to)),
    ).fetchone()
    if not row or not row[0] or row[1] is None or row[1] < datetime.now(UTC) - RESUMED_FOR:
        return None
    return cast("datetime", row[1])


def open_log(
    conn: psycopg.Connection,
    entity: EntitySpec,
    operation: str,
    user_id: str,
    started_at: datetime,
    metadata: dict[str, Any],
) -> str:
    """Note that a sync has begun. Returns its id."""
    sync_id = str(uuid.uuid4())
    with conn.transaction():
        conn.execute(
            """
            insert into ops.sync_logs (
                id, user_id, source, entity_type, operation, record_count, status, started_at, metadata)
            values (%s, %s, %s, %s, %s, 0, 'in_progress', %s, %s)
            """,
            (sync_id, user_id, *entity.id, operation, started_at, Jsonb(metadata)),
        )
        conn.execute(
            """
            insert into ops.sync_states (source, entity_type, sync_status, created_at, updated_at)
            values (%s, %s, 'running', %s, %s)
            on conflict (source, entity_type) do update set
                sync_status = excluded.sync_status, updated_at = excluded.updated_at,
                total_records = excluded.total_records, successful_records = excluded.successful_records,
                failed_records = excluded.failed_records
            """,
            (*entity.id, started_at, started_at),
        )
        _audit(conn, "sync.start", sync_id, entity, user=user_id, operation=operation)
    return sync_id


def note(conn: psycopg.Connection, sync_id: str, **metadata: Any) -> None:
    """Add to a log's metadata."""
    conn.execute(
        "update ops.sync_logs set metadata = coalesce(metadata, '{}') || %s where id = %s", (Jsonb(metadata), sync_id)
    )


def page_landed(
    conn: psycopg.Connection, sync_id: str, entity: EntitySpec, counts: SyncCounts, next_offset: int | None
) -> None:
    """Note how far a sync has come, in the transaction of the page.

    Args:
        next_offset: where the window under way goes on; None when it was read to its end.
    """
    conn.execute("update ops.sync_logs set record_count = %s where id = %s", (counts.records, sync_id))
    conn.execute(
        """
        update ops.sync_states set total_records = %s, successful_records = %s, failed_records = %s,
            last_sync_offset = %s, updated_at = %s
        where (source, entity_type) = (%s, %s)
        """,
        (
            counts.records,
            counts.records - counts.quarantined,
            counts.quarantined,
            next_offset,
            datetime.now(UTC),
            *entity.id,
        ),
    )


def window_read(conn: psycopg.Connection, sync_id: str, page: Page, day: date | None) -> None:
    """Note that a day, or a file, was fully read, in the transaction of its last page."""
    conn.execute(
        """
        insert into ops.sync_windows (
            source, entity_type, window_name, window_day, read_at, sync_id, record_count, total)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (source, entity_type, window_name) do update set
            read_at = excluded.read_at, sync_id = excluded.sync_id, record_count = excluded.record_count,
            total = excluded.total
        """,
        (*page.entity.id, str(day or page.window), day, datetime.now(UTC), sync_id, page.distinct, page.total),
    )


def note_watermarks(conn: psycopg.Connection, reached: Mapping[EntitySpec, Watermark]) -> None:
    """Note how far entities are read; in the transaction that landed the last of their rows."""
    conn.cursor().executemany(
        """
        update ops.sync_states set watermark_mode = %s, watermark = %s, may_miss = %s, source_system = %s,
            ceiling_age_seconds = %s, ceiling_holder_pid = %s
        where (source, entity_type) = (%s, %s)
        """,
        [
            (
                one.mode,
                one.value,
                one.may_miss,
                one.system,
                one.ceiling_age_seconds,
                one.ceiling_holder_pid,
                *entity.id,
            )
            for entity, one in reached.items()
        ],
    )


def nothing_new(
    conn: psycopg.Connection, reached: Mapping[EntitySpec, Watermark], user_id: str, started_at: datetime
) -> None:
    """Note a sync of entities of which their source holds nothing new, each: a row of the log and its state."""
    if not reached:
        return
    asked = {
        "source": next(iter(reached)).source,
        "entities": [entity.name for entity in reached],
        "user": user_id,
        "started_at": started_at,
        "ended_at": datetime.now(UTC),
        "metadata": Jsonb({"windows": 0, **asdict(SyncCounts())}),
    }
    with conn.transaction():
        conn.execute(
            """
            insert into ops.sync_logs (
                id, user_id, source, entity_type, operation, record_count, status, started_at, completed_at, metadata)
            select gen_random_uuid()::text, %(user)s, %(source)s, entity, 'incremental', 0, 'success', %(started_at)s,
                %(ended_at)s, %(metadata)s
            from unnest(%(entities)s::text[]) as entity
            """,
            asked,
        )
        conn.execute(
            """
            insert into ops.sync_states (
                source, entity_type, sync_status, created_at, updated_at, last_sync_timestamp, sync_duration)
            select %(source)s, entity, 'idle', %(ended_at)s, %(ended_at)s, %(started_at)s, 0
            from unnest(%(entities)s::text[]) as entity
            on conflict (source, entity_type) do update set
                sync_status = excluded.sync_status, updated_at = excluded.updated_at,
                last_sync_timestamp = excluded.last_sync_timestamp, sync_duration = excluded.sync_duration
            """,
            asked,
        )
        note_watermarks(conn, reached)


def close_log(
    conn: psycopg.Connection,
    sync_id: str,
    entity: EntitySpec,
    counts: SyncCounts,
    started_at: datetime,
    status: Literal["success", "partial", "error"],
    *,
    reason: str | None = None,
    paused: bool = False,
    brings_up_to_date: bool = True,
    **metadata: Any,
) -> None:
    """Note how a sync has ended.

    Args:
        reason: why it is not a success.
        paused: it stopped by itself, to go on another day.
        brings_up_to_date: a success of it means that the warehouse is up to date; not so for a backfill.
    """
    ended_at = datetime.now(UTC)
    state = {"success": "idle", "partial": "paused" if paused else "idle", "error": "error"}[status]
    with conn.transaction():
        note(conn, sync_id, **asdict(counts), **metadata, paused=paused, **({"reason": reason} if reason else {}))
        conn.execute(
            """
            update ops.sync_logs set status = %s, completed_at = %s, error_message = %s, record_count = %s
            where id = %s
            """,
            (status, ended_at, reason if status == "error" else None, counts.records, sync_id),
        )
        conn.execute(
            """
            update ops.sync_states set sync_status = %s, sync_duration = %s, updated_at = %s,
                last_sync_timestamp = coalesce(%s, last_sync_timestamp)
            where (source, entity_type) = (%s, %s)
            """,
            (
                state,
                round((ended_at - started_at).total_seconds() * 1000),
                ended_at,
                started_at if status == "success" and brings_up_to_date else None,
                *entity.id,
            ),
        )
        [user] = conn.execute("select user_id from ops.sync_logs where id = %s", [sync_id]).fetchone() or [None]
        counted = {name: getattr(counts, name) for name in ("records", "new", "changed", "quarantined", "deleted")}
        _audit(conn, "sync.complete", sync_id, entity, user=user, success=status != "error", status=status, **counted)


def _audit(
    conn: psycopg.Connection,
    event: str,
    sync_id: str,
    entity: EntitySpec,
    *,
    user: str | None,
    success: bool = True,
    **metadata: Any,
) -> None:
    source, name = entity.id
    audit_log.record(
        conn,
        event,
        resource="sync",
        resource_id=sync_id,
        correlation_id=sync_id,
        user=user,
        success=success,
        metadata={"source": source, "entity": name, **metadata},
    )
