"""How a page lands whose rows are copied from another Postgres: by COPY into a stage, and by one statement into `raw`.

What is one row at the source is one row in raw, the newest version of it. A row that cannot be given, or cannot land,
goes to quarantine; its page lands without it.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from dagster_project.ingestion.records.erased_rows import suppress, without_erased
from dagster_project.ingestion.records.page_loads import PageResult, close_load, open_load, quarantine
from dagster_project.ingestion.records.raw_tables import fields_of, month_of
from dagster_project.ingestion.records.schema_drift import note_fields
from dagster_project.sources.contract import (
    Copied,
    CopiedRows,
    EntitySpec,
    Page,
    Problem,
    Rejected,
    UnreadableRow,
)
from dagster_project.warehouse import partitions

_ROW_FAULTS = (
    UnreadableRow,
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.CardinalityViolation,  # two rows of one key, which only a view can give: the second one counts
)


@dataclass(frozen=True, slots=True)
class _Landed:
    """What became of some rows; where the last of them is."""

    new: int = 0
    changed: int = 0
    deleted: int = 0
    suppressed: int = 0
    size: int = 0
    resume_point: str | None = None
    rejected: tuple[Rejected, ...] = ()

    def then(self, other: "_Landed") -> "_Landed":
        """What became of these and those that follow."""
        return _Landed(
            self.new + other.new,
            self.changed + other.changed,
            self.deleted + other.deleted,
            self.suppressed + other.suppressed,
            self.size + other.size,
            other.resume_point or self.resume_point,
            self.rejected + other.rejected,
        )


def land_copied(conn: psycopg.Connection, page: Page, sync_id: str) -> PageResult:
    """Land one page of copied rows, all of it or nothing, inside the caller's transaction.

    Raises:
        SourceError: the source failed; nothing of the page has landed.
        psycopg.Error: Postgres refused; nothing of the page has landed.
    """
    entity, rows, began = page.entity, page.copied, datetime.now(UTC)
    assert rows and entity.copied
    with conn.transaction():
        load_id = open_load(conn, page, sync_id, began)
        conn.execute(_STAGE)
        landed = _land(conn, entity, rows, load_id, began)
        kept = without_erased(conn, entity.copied, landed.rejected)
        page = replace(page, rejected=kept, resume_point=landed.resume_point)
        new_faults = quarantine(conn, page, kept, load_id, began)
        _resolve(conn, entity, load_id)
        written = landed.new + landed.changed
        result = PageResult(
            load_id,
            page,
            new=landed.new,
            changed=landed.changed,
            unchanged=page.received - written - len(landed.rejected),
            quarantined=len(kept),
            duplicates=0,
            suppressed=landed.suppressed + len(landed.rejected) - len(kept),
            rejected_parts=0,
            deleted=landed.deleted,
            new_fields=len(note_fields(conn, entity, rows.fields, sync_id, load_id, began)),
            new_faults=new_faults,
        )
        close_load(conn, result)
        milliseconds = round((datetime.now(UTC) - began).total_seconds() * 1000)
        conn.execute(
            "update ops.page_loads set response_bytes = %s, request_ms = %s where load_id = %s",
            [landed.size, milliseconds, load_id],
        )
    return result


def _land(conn: psycopg.Connection, entity: EntitySpec, rows: CopiedRows, load_id: int, at: datetime) -> _Landed:
    """Land rows; where one of them is at fault, each half of them by itself, until it is alone."""
    try:
        with conn.transaction():
            return _copy_and_merge(conn, entity, rows, load_id, at)
    except _ROW_FAULTS as error:
        problem = _problem(error)
    halves = rows.halves()
    if not halves:
        return _Landed(rejected=(rows.rejected(problem),))
    landed = _Landed()
    for half in halves:
        landed = landed.then(_land(conn, entity, half, load_id, at))
    return landed


def _problem(error: BaseException) -> Problem:
    if isinstance(error, UnreadableRow):
        return Problem("row_unreadable", error.cause)
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return Problem("row_cannot_land", f"{type(error).__name__} (SQLSTATE {state})")


def _copy_and_merge(
    conn: psycopg.Connection, entity: EntitySpec, rows: CopiedRows, load_id: int, at: datetime
) -> _Landed:
    copied = entity.copied
    assert copied
    conn.execute("truncate copied_rows")
    with conn.cursor() as cursor, cursor.copy("copy copied_rows from stdin") as copy:
        size = rows.write_to(copy.write)
    names = _names(entity, copied)
    mark, keys = conn.execute(sql.SQL(_LAST).format(**names)).fetchone() or ("", [])
    suppressed = suppress(conn, copied)
    if copied.month:
        months = conn.execute(sql.SQL("select distinct {} from copied_rows").format(month_of("payload", copied.month)))
        partitions.keep(conn, f"raw.{entity.table}", [month for (month,) in months])
    given = {
        "load": load_id,
        "at": at,
        "reason": entity.deletion_reason,
        "has_transactions": rows.has_transactions,
    }
    counts = conn.execute(sql.SQL(_MERGE + (_DELETE if copied.deletes else _COUNT)).format(**names), given).fetchone()
    assert counts
    new, changed, deleted = counts
    return _Landed(new, changed, deleted, suppressed=suppressed, size=size, resume_point=rows.resume_point(mark, keys))


def _names(entity: EntitySpec, copied: Copied) -> dict[str, sql.Composable]:
    deleted, month = copied.deletes, copied.month
    of_deleted = deleted.copied.month if deleted and deleted.copied else None
    return {
        "table": sql.Identifier("raw", entity.table),
        "unique": sql.SQL("row_key, row_month" if month else "row_key"),
        "value": sql.SQL("{}, {}").format(_key(copied), month_of("payload", month)) if month else _key(copied),
        "keys": sql.SQL("array[{}]").format(fields_of("payload", copied.keys)),
        "conversation": fields_of("payload", [copied.conversation]) if copied.conversation else sql.SQL("null"),
        "deleted": sql.Identifier("raw", deleted.table if deleted else entity.table),
        "deleted_key": _key(deleted.copied) if deleted and deleted.copied else sql.SQL("null"),
        # A month alone is looked into, not each one.
        "deleted_month": sql.SQL("and row_month = any(array(select {} from copied_rows where is_gone))").format(
            month_of("payload", of_deleted)
        )
        if of_deleted
        else sql.SQL(""),
    }


def _key(copied: Copied) -> sql.Composable:
    return sql.SQL("concat_ws('|', {})").format(fields_of("payload", copied.keys))


def _resolve(conn: psycopg.Connection, entity: EntitySpec, load_id: int) -> None:
    """Close the faults of rows that have landed now."""
    conn.execute(
        sql.SQL("""
            update raw.quarantine set resolved_at = now()
            where resolved_at is null and source = %s and entity_type = %s and record_key = any(array(
                select row_key from {table} where load_id = %s
                    and exists (select from raw.quarantine
                        where resolved_at is null and source = %s and entity_type = %s)
            ))
        """).format(table=sql.Identifier("raw", entity.table)),
        [*entity.id, load_id, *entity.id],
    )


_STAGE = """
    create temporary table if not exists copied_rows (
        mark text not null, is_gone boolean not null, content_hash text not null, payload jsonb not null
    )
"""
# Rows lie in the stage as they came.
_LAST = "select mark, {keys} from (select mark, payload from copied_rows order by ctid desc limit 1) as last"
_MERGE = """
    with merged as (
        insert into {table} as known (
            {unique}, conversation_id, payload, content_hash, row_xid, load_id, first_load_id, loaded_at)
        select
            {value}, {conversation}, payload, content_hash,
            case when %(has_transactions)s then mark::bigint end, %(load)s, %(load)s, %(at)s
        from copied_rows
        on conflict ({unique}) do update set
            conversation_id = excluded.conversation_id, payload = excluded.payload,
            content_hash = excluded.content_hash, row_xid = excluded.row_xid, load_id = excluded.load_id,
            loaded_at = excluded.loaded_at, deleted_at = null, deletion_reason = null
        where known.content_hash <> excluded.content_hash or known.deleted_at is not null
        returning first_load_id = %(load)s as is_new
    )
"""
_COUNT = """
    select count(*) filter (where is_new), count(*) filter (where not is_new), 0 from merged
"""
_DELETE = """
    , deleted as (
        update {deleted} set deleted_at = %(at)s, deletion_reason = %(reason)s, load_id = %(load)s
        where deleted_at is null
            and row_key = any(array(
                select {deleted_key} from copied_rows where is_gone
            ))
            {deleted_month}
        returning row_key
    )

    select count(*) filter (where is_new), count(*) filter (where not is_new), (select count(*) from deleted)
    from merged
"""
