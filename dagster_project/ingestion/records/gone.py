"""Copied rows that are gone, by the keys that their source holds: for sources that do not tell of deletions."""

from datetime import UTC, datetime

import psycopg
from psycopg import sql

from dagster_project.ingestion.records.deletions import Missing
from dagster_project.ingestion.records.page_loads import PageResult, close_load, open_load
from dagster_project.ingestion.records.raw_tables import text_array
from dagster_project.sources.contract import Page

MOVED = "superseded: the row has another key now"


def compare_keys(conn: psycopg.Connection, page: Page, sync_id: str) -> PageResult:
    """Look for what of a window is gone, and take the mark off rows that are there again; in the caller's transaction.

    A row that has another key now is marked at once, and keeps its load: what was made of it is made of its other row.
    What is gone altogether is the result's `missing`: it is for the sync to believe that.

    Raises:
        SourceError: the source failed.
    """
    held, entity, began = page.held, page.entity, datetime.now(UTC)
    assert held
    names = {
        "table": sql.Identifier("raw", entity.table),
        "of_month": sql.SQL("row_month = {}::date").format(f"{held.month}-01") if held.month else sql.SQL("true"),
    }
    with conn.transaction():
        load_id = open_load(conn, page, sync_id, began)
        conn.execute("create temporary table if not exists held_keys (row_key text not null)")
        conn.execute("truncate held_keys")
        with conn.cursor() as cursor, cursor.copy("copy held_keys from stdin") as copy:
            held.write_to(copy.write)
        conn.execute("analyze held_keys")
        restored = conn.execute(sql.SQL(_RESTORE).format(**names), {"load": load_id, "at": began}).rowcount
        known, missing = conn.execute(sql.SQL(_MISSING).format(**names)).fetchone() or (0, [])
        moved = held.moved(missing) if missing else frozenset()
        conn.execute(sql.SQL(_SUPERSEDE).format(**names), {"at": began, "reason": MOVED, "keys": text_array(moved)})
        gone = frozenset(missing) - moved
        result = PageResult(
            load_id,
            page,
            new=0,
            changed=0,
            unchanged=0,
            quarantined=0,
            duplicates=0,
            suppressed=0,
            rejected_parts=0,
            restored=restored,
            missing=Missing(entity, page.window, gone, known - len(moved)) if gone else None,
        )
        close_load(conn, result)
    return result


_RESTORE = """
    update {table} as kept set deleted_at = null, deletion_reason = null, load_id = %(load)s, loaded_at = %(at)s
    where {of_month} and deleted_at is not null
        and exists (select from held_keys as held where held.row_key = kept.row_key)
"""
_MISSING = """
    select count(*), coalesce(array_agg(kept.row_key) filter (where held.row_key is null), '{{}}')
    from {table} as kept left join held_keys as held using (row_key)
    where {of_month} and kept.deleted_at is null
"""
_SUPERSEDE = """
    update {table} set deleted_at = %(at)s, deletion_reason = %(reason)s where {of_month} and row_key = any(%(keys)s)
"""
