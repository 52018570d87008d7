"""A page in the log (ops.page_loads): its load, what became of its records, and what of it went to quarantine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from dagster_project.ingestion.records.deletions import Missing
from dagster_project.ingestion.records.raw_tables import keys_of, kinds_of, text_array
from dagster_project.sources.contract import Page, Rejected


@dataclass(frozen=True, slots=True)
class PageResult:
    """What became of a page's records. The first six counts of records add up to the page's records.

    Attributes:
        load_id: stamps the rows that this page brought.
        page: the page as it landed: without people who were erased.
        suppressed: records of people who were erased, of which nothing was kept.
        rejected_parts: parts that cannot be read of records that have landed.
        missing: known records of the window that were not returned; only its last page can tell.
        deleted: records that the page tells to be gone; they are marked.
        restored: records that had been marked as deleted and came back.
        new_fields: fields, or types of them, that were never seen before.
        new_faults: of the records and parts that cannot be read, those that were not in quarantine already.
    """

    load_id: int
    page: Page
    new: int
    changed: int
    unchanged: int
    quarantined: int
    duplicates: int
    suppressed: int
    rejected_parts: int
    deleted: int = 0
    restored: int = 0
    new_fields: int = 0
    new_faults: int = 0
    missing: Missing | None = None


def open_load(conn: psycopg.Connection, page: Page, sync_id: str, loaded_at: datetime) -> int:
    """Note that a page lands. Returns the load that stamps its rows."""
    row = conn.execute(
        """
        insert into ops.page_loads (
            sync_id, source, entity_type, window_name, window_from, window_to, page_offset, record_count, exported,
            total, new_count, changed_count, unchanged_count, quarantined_count, response_bytes, request_ms, loaded_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 0, 0, %s, %s, %s)
        returning load_id
        """,
        (
            sync_id,
            *page.entity.id,
            None if page.window.day_from else str(page.window),
            page.window.day_from,
            page.window.day_to,
            page.offset,
            page.received - page.repeated,
            page.answer.exported,
            page.total,
            page.answer.size,
            page.answer.milliseconds,
            loaded_at,
        ),
    ).fetchone()
    assert row is not None
    return int(row[0])


def quarantine(conn: psycopg.Connection, page: Page, rejected: Sequence[Rejected], load_id: int, at: datetime) -> int:
    """Keep what cannot be read. Returns how much of it was not there, or counted as resolved."""
    if page.received and page.entity.faults_have_keys:
        _resolve(conn, page, rejected, at)
    if not rejected:
        return 0
    with conn.cursor() as cursor:
        cursor.executemany(
            """
            insert into raw.quarantine (
                source, entity_type, record_key, rule, detail, payload_bytes, content_hash, load_id,
                window_from, window_to, page_offset, position, quarantined_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (source, entity_type, content_hash, rule) do nothing
            """,
            [
                (
                    page.entity.source,
                    one.entity_type,
                    one.key,
                    one.problem.rule,
                    one.problem.detail,
                    one.data,
                    one.content_hash,
                    load_id,
                    page.window.day_from,
                    page.window.day_to,
                    page.offset,
                    one.position,
                    at,
                )
                for one in rejected
            ],
        )
        added = cursor.rowcount
    reopened = conn.execute(
        """
        update raw.quarantine set resolved_at = null, load_id = %s
        where resolved_at is not null and source = %s and content_hash = any(%s)
        """,
        (load_id, page.entity.source, [one.content_hash for one in rejected]),
    ).rowcount
    return added + reopened


def _resolve(conn: psycopg.Connection, page: Page, rejected: Sequence[Rejected], at: datetime) -> None:
    """Close the faults that records of this page used to have and have no more."""
    conn.execute(
        """
        update raw.quarantine set resolved_at = %s
        where resolved_at is null and source = %s and entity_type = any(%s) and record_key = any(%s)
          and content_hash <> all(%s)
        """,
        (
            at,
            page.entity.source,
            kinds_of(page.entity),
            text_array(keys_of(page)),
            [one.content_hash for one in rejected],
        ),
    )


def close_load(conn: psycopg.Connection, result: PageResult) -> None:
    """Note what became of the page's records."""
    conn.execute(
        """
        update ops.page_loads set new_count = %s, changed_count = %s, unchanged_count = %s, quarantined_count = %s
        where load_id = %s
        """,
        (result.new, result.changed, result.unchanged, result.quarantined, result.load_id),
    )
