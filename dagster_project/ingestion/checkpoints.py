"""How far each window has been landed (ops.sync_checkpoints): where a sync that was killed is resumed.

A checkpoint names its window and the resume point that its source gave with the last landed page. What a resume point
means, and whether it still holds, is the source's to say.
"""

from datetime import UTC, datetime

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.ingestion.records.page_loads import PageResult
from dagster_project.sources.contract import EntitySpec, OpenWindow, Page


def open_windows(conn: psycopg.Connection, entity: EntitySpec, since: datetime | None) -> dict[str, OpenWindow]:
    """The windows to resume, by their text; only those that landed a page at or after `since`, where it is given."""
    rows = conn.execute(
        """
        select c.window_name, substr(c.checkpoint, length(c.window_name) + 2), (l.metadata ->> 'reads_up_to')::date
        from ops.sync_checkpoints c
        left join ops.sync_logs l on l.id = c.sync_id
        where c.status = 'active' and (c.source, c.entity_type) = (%s, %s) and c.checkpoint is not null
          and c.updated_at >= coalesce(%s, '-infinity'::timestamptz)
        order by c.updated_at
        """,
        (*entity.id, since),
    ).fetchall()
    return {window: OpenWindow(point, day) for window, point, day in rows}


def page_landed(
    conn: psycopg.Connection, sync_id: str, checkpoint_id: str | None, page: Page, result: PageResult
) -> str | None:
    """Note a page of a window, in the page's transaction.

    Args:
        checkpoint_id: what this returned for the window's page before; None for its first one.

    Returns:
        the checkpoint's id; None when the window is done with.
    """
    if checkpoint_id is None:
        checkpoint_id = _begin(conn, sync_id, page)
    now, count = datetime.now(UTC), page.received - page.repeated
    failures = [
        {"entity": one.entity_type, "id": one.key, "rule": one.problem.rule}
        for one in [*page.rejected, *(bad for record in page.records for bad in record.rejected_parts)]
    ]
    conn.execute(
        """
        update ops.sync_checkpoints set
            checkpoint = %s, status = %s, completed_at = %s, updated_at = %s,
            total_records = greatest(total_records, %s), processed_records = processed_records + %s,
            successful_records = successful_records + %s, failed_records = failed_records + %s,
            failure_details = case when %s then failure_details
                                   else coalesce(failure_details, '[]') || %s end
        where id = %s
        """,
        (
            _text(page),
            _status(page),
            now if page.is_last else None,
            now,
            page.total,
            count,
            count - result.quarantined,
            result.quarantined,
            not failures,
            Jsonb(failures),
            checkpoint_id,
        ),
    )
    return None if page.is_last else checkpoint_id


def _begin(conn: psycopg.Connection, sync_id: str, page: Page) -> str:
    """Open a checkpoint for a window. Those that earlier syncs left open in it are taken over by it."""
    entity, window = page.entity, str(page.window)
    conn.execute(
        """
        update ops.sync_checkpoints set status = 'failed', updated_at = %s
        where status = 'active' and (source, entity_type, window_name) = (%s, %s, %s)
        """,
        (datetime.now(UTC), *entity.id, window),
    )
    row = conn.execute(
        """
        insert into ops.sync_checkpoints (sync_id, source, entity_type, window_name, status, created_at)
        values (%s, %s, %s, %s, 'active', %s) returning id
        """,
        (sync_id, *entity.id, window, datetime.now(UTC)),
    ).fetchone()
    assert row is not None
    return str(row[0])


def _status(page: Page) -> str:
    return "active" if not page.is_last else "completed" if page.is_complete else "failed"


def _text(page: Page) -> str:
    return f"{page.window} {page.resume_point or f'offset {page.offset + page.received}'}"
