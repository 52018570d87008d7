"""Quarantine: trying its records again under the present rules, and counting what it still holds."""

import json
import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import get_args

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dagster_project.ingestion.audit_export import AuditFile, land_rows
from dagster_project.ingestion.landing import land_page
from dagster_project.ingestion.single_writer import writer
from dagster_project.sources.b2chat.answers import Item, UnreadableAnswer, read_envelope
from dagster_project.sources.b2chat.records import KEY_FIELD, Entity, Record, message_problem, read_record
from dagster_project.sources.b2chat.windows import Page, Window, WindowPage
from dagster_project.sources.b2chat_audit.files import AuditRow, read_kept_row

log = logging.getLogger(__name__)

OPERATION = "quarantine_retry"  # in ops.sync_logs; it asks B2Chat nothing, so it says nothing of freshness
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
        entity: "chats", "contacts", "message" (a message inside a chat that has landed) or "audit" (a row of an audit
            export).
        share: of all records of the entity, 0 to 1; for messages, the share of chats that hold such a one.
    """

    entity: str
    rule: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class _Row:
    quarantine_id: int
    entity_type: str
    rule: str
    load_id: int
    window_from: date | None
    window_to: date | None
    position: int
    payload_bytes: bytes


def retry_quarantine(url: str, *, triggered_by: str) -> RetryResult:
    """Read each open row's exact bytes again, and land what the rules now allow.

    A record that has landed in a newer version meanwhile stays as it is; its row is closed. Each entity is a row of
    ops.sync_logs with the operation "quarantine_retry"; what lands of a batch is a page load a window.

    Args:
        url: of the warehouse.
        triggered_by: who or what started it (ops.sync_logs.user_id).

    Raises:
        AlreadyRunning: a sync holds the warehouse.
        psycopg.Error: Postgres failed; batches landed before that stay.
    """
    tried = resolved = 0
    with writer(url, f"quarantine ({triggered_by})") as conn:
        for entity in (*get_args(Entity), "audit"):
            sync_id, started_at = str(uuid.uuid4()), datetime.now(UTC)
            of_entity = 0
            for rows in _open_rows(conn, entity):
                of_entity += len(rows)
                with conn.transaction():
                    done = (
                        _retry_audit(conn, rows, sync_id) if entity == "audit" else _retry(conn, entity, rows, sync_id)
                    )
                    _note_attempt(conn, rows, done)
                resolved += len(done)
            if of_entity:
                _log(conn, sync_id, entity, of_entity, started_at, triggered_by)
            tried += of_entity
    log.info("Quarantine: %d tried, %d resolved", tried, resolved)
    return RetryResult(tried, resolved, tried - resolved)


def quarantine_counts(conn: psycopg.Connection) -> list[QuarantineCount]:
    """What is in quarantine and not resolved, by entity and rule; largest first."""
    rows = conn.execute("""
        select entity_type, rule, count(*)::integer, count(distinct coalesce(record_key, quarantine_id::text))::integer
        from raw.quarantine where resolved_at is null group by 1, 2 order by 3 desc, 1, 2
    """).fetchall()
    records = {entity: _records(conn, entity) for entity in {_counted_with(row[0]) for row in rows}}
    return [
        QuarantineCount(entity, rule, count, keys / max(1, records[_counted_with(entity)]))
        for entity, rule, count, keys in rows
    ]


def _counted_with(entity: str) -> str:
    """What an entity's share is taken of: a bad message is one of its chat."""
    return "chats" if entity == "message" else entity


def _records(conn: psycopg.Connection, entity: str) -> int:
    """All records of an entity: those that have landed, and those that could not."""
    table, key = ("audit_messages", "row_id") if entity == "audit" else (entity, KEY_FIELD[entity])  # type: ignore[index]
    statement = sql.SQL("""
        select (select count(*) from {landed}) + count(*) from raw.quarantine q
        where entity_type = %s and resolved_at is null
            and not exists (select from {landed} l where l.{key} = q.record_key)
    """).format(landed=sql.Identifier("raw", table), key=sql.Identifier(key))
    row = conn.execute(statement, (entity,)).fetchone()
    assert row is not None
    return int(row[0])


def _open_rows(conn: psycopg.Connection, entity: str) -> Iterator[list[_Row]]:
    """The open rows of an entity, in batches; newest first, so that an older version never lands after a newer."""
    kinds, last = ["chats", "message"] if entity == "chats" else [entity], (MAX_BIGINT, MAX_BIGINT)
    while (
        rows := conn.cursor(row_factory=class_row(_Row))
        .execute(
            """
        select quarantine_id, entity_type, rule, load_id, window_from, window_to, position, payload_bytes
        from raw.quarantine
        where resolved_at is null and entity_type = any(%s) and (load_id, quarantine_id) < (%s, %s)
        order by load_id desc, quarantine_id desc limit %s
        """,
            (kinds, *last, BATCH),
        )
        .fetchall()
    ):
        yield rows
        last = rows[-1].load_id, rows[-1].quarantine_id


def _note_attempt(conn: psycopg.Connection, rows: Sequence[_Row], resolved: Sequence[int]) -> None:
    conn.execute(
        """
        update raw.quarantine set attempts = attempts + 1, last_attempt_at = now(),
            resolved_at = case when quarantine_id = any(%s) then now() else resolved_at end
        where quarantine_id = any(%s)
        """,
        (resolved, [row.quarantine_id for row in rows]),
    )


def _retry(conn: psycopg.Connection, entity: Entity, rows: Sequence[_Row], sync_id: str) -> list[int]:
    """Land what can land of a batch, in the caller's transaction. Returns the ids of the rows that are resolved."""
    readable: dict[str, tuple[_Row, Item, Record]] = {}
    resolved = []
    for row in rows:
        if row.entity_type == "message":
            if message_problem(json.loads(row.payload_bytes)) is None:
                resolved.append(row.quarantine_id)
        elif read := _read(entity, row.payload_bytes):
            readable.setdefault(read[1].key, (row, *read))
            resolved.append(row.quarantine_id)
    newer = _landed_since(conn, entity, {key: row.load_id for key, (row, _, _) in readable.items()})
    by_window: dict[Window, list[tuple[Item, Record]]] = {}
    for key, (row, item, record) in readable.items():
        if key not in newer:
            by_window.setdefault(Window(entity, row.window_from, row.window_to), []).append((item, record))
    for window, landing in by_window.items():
        land_page(conn, _page(window, landing), sync_id)
    return resolved


def _retry_audit(conn: psycopg.Connection, rows: Sequence[_Row], sync_id: str) -> list[int]:
    """The same for rows of audit exports: what lands of a file is a load."""
    readable: dict[int, list[tuple[_Row, AuditRow]]] = {}
    for row in rows:
        # Of a row that is longer or shorter than its file's header nobody knows which cell is which.
        if row.rule != "cells_do_not_fit" and isinstance(
            judged := read_kept_row(row.payload_bytes, row.position), AuditRow
        ):
            readable.setdefault(row.load_id, []).append((row, judged))
    resolved = []
    for load_id, landing in sorted(readable.items()):
        file = conn.execute(
            "select file_name, file_hash from raw.audit_files where load_id = %s", (load_id,)
        ).fetchone()
        if file:
            size = sum(len(row.payload_bytes) for row, _ in landing)
            land_rows(conn, (judged for _, judged in landing), AuditFile(file[0], file[1], size), sync_id)
            resolved += [row.quarantine_id for row, _ in landing]
    return resolved


def _read(entity: Entity, data: bytes) -> tuple[Item, Record] | None:
    try:
        [item] = read_envelope(b'{"total":1,"' + entity.encode() + b'":[' + data + b"]}", entity).items
    except UnreadableAnswer:
        return None
    judged = read_record(entity, item)
    return (item, judged) if isinstance(judged, Record) else None


def _landed_since(conn: psycopg.Connection, entity: Entity, loads: dict[str, int]) -> set[str]:
    """The keys whose record has landed by a later load than the given one."""
    statement = sql.SQL("""
        select {key} from {current} join unnest(%s::text[], %s::bigint[]) as tried (key, since) on tried.key = {key}
        where load_id > since
    """).format(key=sql.Identifier(KEY_FIELD[entity]), current=sql.Identifier("raw", entity))
    return {row[0] for row in conn.execute(statement, (list(loads), list(loads.values())))}


def _page(window: Window, landing: list[tuple[Item, Record]]) -> WindowPage:
    items, records = [item for item, _ in landing], [record for _, record in landing]
    count, size = len(items), sum(len(item.data) for item in items)
    page = Page(items, None, count, 0, BATCH, size, 0)
    return WindowPage(window, page, len(records), records, [], 0, count, last=False, whole=False)


def _log(
    conn: psycopg.Connection, sync_id: str, entity: str, tried: int, started_at: datetime, triggered_by: str
) -> None:
    conn.execute(
        """
        insert into ops.sync_logs (
            id, user_id, entity_type, operation, record_count, status, started_at, completed_at, metadata)
        values (%s, %s, %s, %s, %s, 'success', %s, now(), %s)
        """,
        (sync_id, triggered_by, entity, OPERATION, tried, started_at, Jsonb({"tried": tried})),
    )
