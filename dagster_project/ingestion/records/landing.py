"""How a page lands in `raw`: in one transaction, each version once, nothing written for what has not changed."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import cast

import psycopg
from psycopg import sql

from dagster_project.ingestion.records.deletions import find_missing, restore
from dagster_project.ingestion.records.page_loads import PageResult, close_load, open_load, quarantine
from dagster_project.ingestion.records.raw_tables import keys_of, names_of, text_array
from dagster_project.ingestion.records.schema_drift import note_fields
from dagster_project.ingestion.records.suppression import without_erased
from dagster_project.sources.contract import EntitySpec, Page, Record
from dagster_project.warehouse import partitions

__all__ = ["PageResult", "land_page"]

_LARGE = 1_000_000  # bytes


def land_page(conn: psycopg.Connection, page: Page, sync_id: str) -> PageResult:
    """Land one page, all of it or nothing, inside the caller's transaction or in one of its own.

    Landing the same page again changes nothing in raw. The caller is the only writer (see `writer`).

    Raises:
        psycopg.Error: Postgres refused; nothing of the page has landed.
    """
    entity, loaded_at = page.entity, datetime.now(UTC)
    with conn.transaction():
        page, suppressed = without_erased(conn, page)
        load_id = open_load(conn, page, sync_id, loaded_at)
        new, changed = _merge(conn, entity, page.records, load_id, loaded_at)
        _merge_companions(conn, page, new + changed, load_id, loaded_at)
        rejected_parts = [one for record in page.records for one in record.rejected_parts]
        new_faults = quarantine(conn, page, [*page.rejected, *rejected_parts], load_id, loaded_at)
        result = PageResult(
            load_id,
            page,
            new=len(new),
            changed=len(changed),
            unchanged=len(page.records) - len(new) - len(changed),
            quarantined=len(page.rejected),
            duplicates=page.duplicates,
            suppressed=suppressed,
            rejected_parts=len(rejected_parts),
            restored=restore(conn, entity, keys_of(page), load_id),
            new_fields=len(note_fields(conn, entity, _fields_in(new + changed), sync_id, load_id, loaded_at)),
            new_faults=new_faults,
            missing=find_missing(conn, page),
        )
        if entity.after_page:
            entity.after_page(conn, page)
        close_load(conn, result)
    return result


def _merge(
    conn: psycopg.Connection, entity: EntitySpec, records: Sequence[Record], load_id: int, loaded_at: datetime
) -> tuple[list[Record], list[Record]]:
    """Bring records into the table of current versions. Returns those that were new and those that had changed.

    What is there already is learned by keys and hashes, so that each payload goes to Postgres once, and none twice.
    """
    statement = sql.SQL("select {key}, content_hash from {current} where {key} = any(%s)").format(**names_of(entity))
    known: dict[str, str] = dict(conn.execute(statement, (_keys(records),)).fetchall())
    archived = _archived(conn, entity, [record for record in records if record.key not in known])
    new = [record for record in records if record.key not in known and record.key not in archived]
    changed = [record for record in records if known.get(record.key, record.content_hash) != record.content_hash]
    returned = [record for record in records if archived.get(record.key, record.content_hash) != record.content_hash]
    _keep_months(conn, entity, new + changed + returned)
    if changed:
        if entity.versions:
            _keep_superseded(conn, entity, changed, load_id)
        _replace_current(conn, entity, changed, load_id, loaded_at)
    if new or returned:
        _copy_new(conn, entity, new + returned, load_id, loaded_at)
    if returned:
        _succeed_archived(conn, entity, returned)
    _keep_large_bytes(conn, entity, new + changed + returned)
    return new, changed + returned


def _archived(conn: psycopg.Connection, entity: EntitySpec, records: Sequence[Record]) -> dict[str, str]:
    """The content hashes of records that are in an archive alone: as long as they are the same, they are known."""
    if not entity.month or not records:
        return {}
    query = "select record_key, content_hash from ops.archived_records where record_key = any(%s)"
    return dict(conn.execute(query, (_keys(records),)).fetchall())


def _succeed_archived(conn: psycopg.Connection, entity: EntitySpec, records: Sequence[Record]) -> None:
    """Records that have changed since their month was archived stand in the table again, as the next version."""
    statement = sql.SQL("""
        with archived as (
            delete from ops.archived_records where record_key = any(%s) returning record_key, version
        )
        update {current} set version = archived.version + 1 from archived where {key} = archived.record_key
    """)
    conn.execute(statement.format(**names_of(entity)), (_keys(records),))


def _merge_companions(
    conn: psycopg.Connection, page: Page, written: Sequence[Record], load_id: int, loaded_at: datetime
) -> None:
    """Land the companions of a page's records; one whose records are new or changed takes the load in any case."""
    entity = page.entity.companion
    if not entity:
        return
    companions = {record.companion.key: record.companion for record in page.records if record.companion}
    _merge(conn, entity, list(companions.values()), load_id, loaded_at)
    statement = sql.SQL("""
        update {current} set load_id = %(load)s, loaded_at = %(at)s where {key} = any(%(keys)s) and load_id <> %(load)s
    """)
    parents = text_array({record.parent for record in written if record.parent is not None})
    conn.execute(statement.format(**names_of(entity)), {"load": load_id, "at": loaded_at, "keys": parents})


def _keep_months(conn: psycopg.Connection, entity: EntitySpec, written: Sequence[Record]) -> None:
    """Make the partitions that the records go to: a first sync brings years of them."""
    if entity.month and written:
        place = entity.columns.index(entity.month)
        partitions.keep(conn, f"raw.{entity.table}", {cast("date", record.columns[place]) for record in written})


def _copy_new(
    conn: psycopg.Connection, entity: EntitySpec, records: Sequence[Record], load_id: int, loaded_at: datetime
) -> None:
    statement = sql.SQL("""
        copy {current} ({key}, content_hash, payload, payload_bytes, cleaned, version, load_id, first_load_id,
                        loaded_at{columns})
        from stdin
    """)
    stamp = (1, load_id, load_id, loaded_at)
    with conn.cursor() as cursor, cursor.copy(statement.format(**names_of(entity))) as copy:
        for record in records:
            copy.write_row((*_fields_of(record), *stamp, *record.columns))


def _keep_superseded(conn: psycopg.Connection, entity: EntitySpec, records: Sequence[Record], load_id: int) -> None:
    statement = sql.SQL("""
        insert into {versions} ({key}, load_id, content_hash, payload, payload_bytes, cleaned, version, loaded_at,
                                superseded_by_load_id)
        select {key}, load_id, content_hash, payload, payload_bytes, cleaned, version, loaded_at, %s
        from {current}
        where {key} = any(%s)
    """)
    conn.execute(statement.format(**names_of(entity)), (load_id, _keys(records)))


def _replace_current(
    conn: psycopg.Connection, entity: EntitySpec, records: Sequence[Record], load_id: int, loaded_at: datetime
) -> None:
    statement = sql.SQL("""
        update {current} set
            content_hash = newer.content_hash, payload = newer.payload::jsonb, payload_bytes = newer.payload_bytes,
            cleaned = newer.cleaned::jsonb, version = version + 1, load_id = %s, loaded_at = %s{month}
        from unnest(%s::text[], %s::text[], %s::text[], %s::bytea[], %s::text[], %s::date[])
            as newer (key, content_hash, payload, payload_bytes, cleaned, month)
        where {key} = newer.key
    """)
    columns = [list(column) for column in zip(*map(_fields_of, records), strict=True)]
    month = sql.SQL(", {} = newer.month").format(sql.Identifier(entity.month)) if entity.month else sql.SQL("")
    months = [record.columns[entity.columns.index(entity.month)] for record in records] if entity.month else []
    conn.execute(statement.format(month=month, **names_of(entity)), (load_id, loaded_at, *columns, months))


def _keep_large_bytes(conn: psycopg.Connection, entity: EntitySpec, records: Sequence[Record]) -> None:
    """Keep the exact bytes of large records as they are: as text of a COPY they would take several times the memory."""
    statement = sql.SQL("update {current} set payload_bytes = %b where {key} = %b").format(**names_of(entity))
    for record in records:
        if record.exact is not None and len(record.exact) > _LARGE:
            conn.execute(statement, (record.exact, record.key))


def _keys(records: Sequence[Record]) -> str:
    return text_array(record.key for record in records)


def _fields_of(record: Record) -> tuple[str, str, str, bytes | None, str | None]:
    """A row's fields; large bytes come after it."""
    cleaned = json.dumps(record.cleaned, ensure_ascii=False) if record.cleaned else None
    exact = record.exact if record.exact is None or len(record.exact) <= _LARGE else None
    return record.key, record.content_hash, record.payload, exact, cleaned


def _fields_in(records: Sequence[Record]) -> set[tuple[str, str]]:
    shapes = set().union(*(record.shapes for record in records))
    return {field for shape in shapes for field in shape.fields}
