"""Quarantine: trying its records again under the present rules, and counting what it still holds."""

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dagster_project.ingestion.records.copied import land_copied
from dagster_project.ingestion.records.kept_rows import KeptRows, deleted_key
from dagster_project.ingestion.records.landing import land_page
from dagster_project.ingestion.records.raw_tables import kinds_of, names_of
from dagster_project.ingestion.single_writer import require_starter, writer
from dagster_project.sources.contract import Answer, EntitySpec, KeptRecord, Page, Record, Rejected, SourceSpec
from dagster_project.warehouse.access import audit_log

log = logging.getLogger(__name__)

OPERATION = "quarantine_retry"  # in ops.sync_logs; it asks the source nothing, so it says nothing of freshness
RETRIED = "quarantine"  # the window's name
BATCH = 500
MAX_BIGINT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RetryResult:
    """What became of the quarantine's open rows: `tried` = `resolved` + `still_bad`."""

    tried: int = 0
    resolved: int = 0
    still_bad: int = 0


@dataclass(frozen=True, slots=True)
class QuarantineCount:
    """Open rows of one entity and rule.

    Attributes:
        source, entity: of what; a part of a record that has landed counts as an entity ("message").
        share: of all records of the entity, 0 to 1; for parts, the share of records that hold such a one.
    """

    source: str
    entity: str
    rule: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class _Row:
    quarantine_id: int
    entity_type: str
    record_key: str | None
    rule: str
    load_id: int
    window_from: date | None
    window_to: date | None
    position: int
    payload_bytes: bytes


def retry_quarantine(url: str, sources: Sequence[SourceSpec], *, triggered_by: str) -> RetryResult:
    """Read each open row's exact bytes again, and land what the rules now allow.

    A record that has landed in a newer version meanwhile stays as it is; its row is closed. Each entity is a row of
    ops.sync_logs with the operation "quarantine_retry"; what lands of a batch is a page load a window.

    Args:
        url: of the warehouse.
        triggered_by: who or what started it (ops.sync_logs.user_id).

    Raises:
        StarterRefused: whoever started it may not.
        AlreadyRunning: a sync holds the warehouse.
        psycopg.Error: Postgres failed; batches landed before that stay.
    """
    tried = resolved = 0
    with writer(url, f"quarantine ({triggered_by})") as conn:
        require_starter(conn, triggered_by, "try the quarantine again")
        for source in sources:
            for entity in source.entities:
                done = _retry_entity(conn, source, entity, triggered_by)
                tried, resolved = tried + done.tried, resolved + done.resolved
    log.info("Quarantine: %d tried, %d resolved", tried, resolved)
    return RetryResult(tried, resolved, tried - resolved)


def _retry_entity(conn: psycopg.Connection, source: SourceSpec, entity: EntitySpec, triggered_by: str) -> RetryResult:
    sync_id, started_at = str(uuid.uuid4()), datetime.now(UTC)
    tried = resolved = 0
    for rows in _open_rows(conn, entity):
        tried += len(rows)
        with conn.transaction():
            done = _retry(conn, source, entity, rows, sync_id)
            _note_attempt(conn, rows, done)
        resolved += len(done)
    if tried:
        _log(conn, sync_id, entity, tried, started_at, triggered_by)
    return RetryResult(tried, resolved, tried - resolved)


def quarantine_counts(conn: psycopg.Connection, sources: Sequence[SourceSpec]) -> list[QuarantineCount]:
    """What is in quarantine of some sources and not resolved, by entity and rule; largest first."""
    entities = {
        (source.name, kind): entity for source in sources for entity in source.entities for kind in kinds_of(entity)
    }
    rows = conn.execute("""
        select source, entity_type, rule, count(*)::integer,
               count(distinct coalesce(record_key, quarantine_id::text))::integer
        from raw.quarantine where resolved_at is null group by 1, 2, 3 order by 4 desc, 1, 2, 3
    """).fetchall()
    # A share is taken of the entity's records: a bad message is one of its chat.
    records = {entity: _records(conn, entity) for entity in {entities[row[:2]] for row in rows if row[:2] in entities}}
    return [
        QuarantineCount(source, kind, rule, count, keys / max(1, records[entities[source, kind]]))
        for source, kind, rule, count, keys in rows
        if (source, kind) in entities
    ]


def _records(conn: psycopg.Connection, entity: EntitySpec) -> int:
    """All records of an entity: those that have landed, and those that could not."""
    statement = sql.SQL("""
        select (select count(*) from {current}) + count(*) from raw.quarantine q
        where (source, entity_type) = (%s, %s) and resolved_at is null
            and not exists (select from {current} l where l.{key} = q.record_key)
    """).format(**names_of(entity))
    row = conn.execute(statement, entity.id).fetchone()
    assert row is not None
    return int(row[0])


def _open_rows(conn: psycopg.Connection, entity: EntitySpec) -> Iterator[list[_Row]]:
    """The open rows of an entity, in batches; newest first, so that an older version never lands after a newer."""
    last = MAX_BIGINT, MAX_BIGINT
    kinds = kinds_of(entity)
    with conn.cursor(row_factory=class_row(_Row)) as cursor:
        while rows := cursor.execute(_OPEN_ROWS, (entity.source, kinds, *last, BATCH)).fetchall():
            yield rows
            last = rows[-1].load_id, rows[-1].quarantine_id


_OPEN_ROWS = """
    select quarantine_id, entity_type, record_key, rule, load_id, window_from, window_to, position, payload_bytes
    from raw.quarantine
    where resolved_at is null and source = %s and entity_type = any(%s) and (load_id, quarantine_id) < (%s, %s)
    order by load_id desc, quarantine_id desc limit %s
"""


def _note_attempt(conn: psycopg.Connection, rows: Sequence[_Row], resolved: Sequence[int]) -> None:
    conn.execute(
        """
        update raw.quarantine set attempts = attempts + 1, last_attempt_at = now(),
            resolved_at = case when quarantine_id = any(%s) then now() else resolved_at end
        where quarantine_id = any(%s)
        """,
        (resolved, [row.quarantine_id for row in rows]),
    )


def _retry(
    conn: psycopg.Connection, source: SourceSpec, entity: EntitySpec, rows: Sequence[_Row], sync_id: str
) -> list[int]:
    """Land what can land of a batch, in the caller's transaction. Returns the ids of the rows that are resolved."""
    if not source.read_kept:
        return _retry_copied(conn, entity, rows, sync_id)
    readable: dict[str, tuple[_Row, Record]] = {}
    resolved = []
    for row in rows:
        kept = KeptRecord(row.entity_type, row.rule, row.payload_bytes, row.position)
        validated = source.read_kept(entity, kept)
        if isinstance(validated, Rejected):
            continue
        if validated:
            readable.setdefault(validated.key, (row, validated))
        resolved.append(row.quarantine_id)
    newer = _landed_since(conn, entity, {key: row.load_id for key, (row, _) in readable.items()})
    by_window: dict[_RetriedWindow, list[tuple[_Row, Record]]] = {}
    for key, (row, record) in readable.items():
        if key not in newer:
            by_window.setdefault(_RetriedWindow(row.window_from, row.window_to), []).append((row, record))
    for window, landing in by_window.items():
        land_page(conn, _page(entity, window, landing), sync_id)
    return resolved


def _retry_copied(conn: psycopg.Connection, entity: EntitySpec, rows: Sequence[_Row], sync_id: str) -> list[int]:
    """Likewise of rows that are copied as they are: the newest of each key, where the row has not landed since."""
    newest: dict[str | None, _Row] = {}
    for row in rows:
        newest.setdefault(row.record_key, row)
    newer = _landed_since(conn, entity, {key: row.load_id for key, row in newest.items() if key})
    landing = [row for key, row in newest.items() if key not in newer]
    if landing:
        gone = _still_gone(conn, entity, landing)
        size = sum(len(row.payload_bytes) for row in landing)
        page = _page_of(entity, _RetriedWindow(None, None), len(landing), size)
        page = replace(page, copied=KeptRows(entity, landing, gone))
        land_copied(conn, page, sync_id)
    resolved = conn.execute(
        "select quarantine_id from raw.quarantine where quarantine_id = any(%s) "
        "and (resolved_at is not null or record_key = any(%s))",
        [[row.quarantine_id for row in rows], list(newer)],
    ).fetchall()
    return [one for (one,) in resolved]


def _still_gone(conn: psycopg.Connection, entity: EntitySpec, rows: Sequence[_Row]) -> set[int]:
    """The places of rows of history that tell of one that was deleted, and that no sync has brought again since."""
    told = {key: place for place, row in enumerate(rows) if (key := deleted_key(entity, row))}
    deletes = entity.copied and entity.copied.deletes
    if not deletes or not told:
        return set()
    statement = sql.SQL("""
        select told.key from unnest(%s::text[], %s::bigint[]) as told (key, since)
        where not exists (
            select from {current} as back inner join ops.page_loads using (load_id)
            where back.{key} = told.key and load_id > told.since and window_name is distinct from %s
        ) and not exists (
            select from raw.quarantine as back where (source, entity_type) = (%s, %s)
                and record_key = told.key and load_id > told.since
        )
    """).format(**names_of(deletes))
    since = [rows[place].load_id for place in told.values()]
    return {told[key] for (key,) in conn.execute(statement, (list(told), since, RETRIED, *deletes.id))}


def _landed_since(conn: psycopg.Connection, entity: EntitySpec, loads: dict[str, int]) -> set[str]:
    """The keys whose record has landed by a later load than the given one."""
    statement = sql.SQL("""
        select {key} from {current} join unnest(%s::text[], %s::bigint[]) as tried (key, since) on tried.key = {key}
        where load_id > since
    """).format(**names_of(entity))
    return {row[0] for row in conn.execute(statement, (list(loads), list(loads.values())))}


@dataclass(frozen=True, slots=True)
class _RetriedWindow:
    """The days of the window that brought some refused records."""

    day_from: date | None
    day_to: date | None
    day_read: date | None = None

    def __str__(self) -> str:
        return RETRIED


def _page(entity: EntitySpec, window: _RetriedWindow, landing: Sequence[tuple[_Row, Record]]) -> Page:
    page = _page_of(entity, window, len(landing), sum(len(row.payload_bytes) for row, _ in landing))
    return replace(page, records=[record for _, record in landing])


def _page_of(entity: EntitySpec, window: _RetriedWindow, count: int, size: int) -> Page:
    return Page(entity, window, [], [], count, is_last=False, is_complete=False, total=count, answer=Answer(size))


def _log(
    conn: psycopg.Connection, sync_id: str, entity: EntitySpec, tried: int, started_at: datetime, triggered_by: str
) -> None:
    conn.execute(
        """
        insert into ops.sync_logs (
            id, user_id, source, entity_type, operation, record_count, status, started_at, completed_at, metadata)
        values (%s, %s, %s, %s, %s, %s, 'success', %s, now(), %s)
        """,
        (sync_id, triggered_by, *entity.id, OPERATION, tried, started_at, Jsonb({"tried": tried})),
    )
    audit_log.record(
        conn,
        "data.update",
        resource="quarantine",
        resource_id="/".join(entity.id),
        correlation_id=sync_id,
        user=triggered_by,
        metadata={"tried": tried},
    )
