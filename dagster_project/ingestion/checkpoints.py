"""How far each window has been landed (ops.sync_checkpoints): where a sync that was killed is taken up.

A checkpoint under way reads `created 2025-10-01 offset 2000 after page 1000 of 5f2c… seen 1000:9ab1…:1700`: the next
page to read, where the last landed page began, which keys it held, and what its pass had seen before it; in a second
pass also `confirming`, what the first has seen. The next sync reads that page again. Where it still holds the same
keys, nothing has moved before it, and the pass goes on; where it does not, the pass begins anew.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.ingestion.landing import PageResult
from dagster_project.sources.b2chat.records import Entity
from dagster_project.sources.b2chat.windows import Landmark, Seen, WindowPage

_SEEN = r"\d+:[0-9a-f]+:\d+"
_UNDER_WAY = re.compile(
    r"(?P<window>.+) offset \d+ after page (?P<page>\d+) of (?P<digest>[0-9a-f]+)"
    rf" seen (?P<before>{_SEEN})(?: confirming (?P<earlier>{_SEEN}))?"
)


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window that a sync was broken off in.

    Attributes:
        reads_up_to: for contacts, the day that counted as read when that sync's windows all were.
    """

    landmark: Landmark
    reads_up_to: date | None


def open_windows(conn: psycopg.Connection, entity: Entity, since: datetime | None) -> dict[str, OpenWindow]:
    """The windows under way, by their text; only those that landed a page at or after `since`, where it is given."""
    rows = conn.execute(
        """
        select c.checkpoint, (l.metadata ->> 'reads_up_to')::date
        from ops.sync_checkpoints c
        left join ops.sync_logs l on l.id = c.sync_id
        where c.status = 'active' and c.entity_type = %s and c.updated_at >= coalesce(%s, '-infinity'::timestamptz)
        order by c.updated_at
        """,
        (entity, since),
    ).fetchall()
    found = [(_UNDER_WAY.fullmatch(text), day) for text, day in rows]
    return {at["window"]: OpenWindow(_landmark(at), day) for at, day in found if at}


def page_landed(
    conn: psycopg.Connection, sync_id: str, checkpoint_id: str | None, page: WindowPage, result: PageResult
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
        for one in [*page.rejected, *(bad for record in page.records for bad in record.bad_messages)]
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
            now if page.last else None,
            now,
            page.page.total,
            count,
            count - result.quarantined,
            result.quarantined,
            not failures,
            Jsonb(failures),
            checkpoint_id,
        ),
    )
    return None if page.last else checkpoint_id


def _begin(conn: psycopg.Connection, sync_id: str, page: WindowPage) -> str:
    """Open a checkpoint for a window. Those that earlier syncs left open in it are taken over by it."""
    entity, window = page.window.entity, str(page.window)
    conn.execute(
        """
        update ops.sync_checkpoints set status = 'failed', updated_at = %s
        where status = 'active' and entity_type = %s and starts_with(checkpoint, %s)
        """,
        (datetime.now(UTC), entity, f"{window} offset "),
    )
    row = conn.execute(
        "insert into ops.sync_checkpoints (sync_id, entity_type, status, created_at) values (%s, %s, 'active', %s) "
        "returning id",
        (sync_id, entity, datetime.now(UTC)),
    ).fetchone()
    assert row is not None
    return str(row[0])


def _status(page: WindowPage) -> str:
    return "active" if not page.last else "completed" if page.whole else "failed"


def _text(page: WindowPage) -> str:
    text, mark = f"{page.window} offset {page.page.offset + page.received}", page.landmark
    if not mark:
        return text
    confirming = f" confirming {_seen_text(mark.earlier)}" if mark.earlier else ""
    return f"{text} after page {mark.offset} of {mark.keys_digest} seen {_seen_text(mark.before)}{confirming}"


def _seen_text(seen: Seen) -> str:
    return f"{seen.count}:{seen.digest:x}:{seen.total}"


def _landmark(at: re.Match[str]) -> Landmark:
    return Landmark(int(at["page"]), at["digest"], _seen(at["before"]), _seen(at["earlier"]) if at["earlier"] else None)


def _seen(text: str) -> Seen:
    count, digest, total = text.split(":")
    return Seen(int(count), int(digest, 16), int(total))
