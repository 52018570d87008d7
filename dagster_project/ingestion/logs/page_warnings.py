"""What somebody should know of a page that has landed."""

import logging

import psycopg

from dagster_project.ingestion.logs.error_log import note_warning
from dagster_project.ingestion.records.page_loads import PageResult
from dagster_project.sources.contract import Page

log = logging.getLogger(__name__)


def warn_of(conn: psycopg.Connection, sync_id: str, page: Page, result: PageResult) -> None:
    """Log and note what of a page could not be read, and that its window did not add up."""
    if result.new_faults:  # a bad record is met again by each sync that reads its day
        log.warning(
            "%s %s: %d records and parts of them more could not be read; see raw.quarantine",
            page.entity.name,
            page.window,
            result.new_faults,
        )
        note_warning(
            conn,
            sync_id,
            "Quarantined",
            "records or messages could not be read",
            entity=page.entity.name,
            window=str(page.window),
            offset=page.offset,
            records=result.quarantined,
            messages=result.rejected_parts,
            new=result.new_faults,
            load_id=result.load_id,
        )
    if page.is_last and not page.is_complete:
        note_warning(
            conn,
            sync_id,
            "WindowIncomplete",
            "the records of a window did not add up",
            entity=page.entity.name,
            window=str(page.window),
            seen=page.distinct,
            total=page.total,
        )
