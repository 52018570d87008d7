"""Soft deletion: a record that its source no longer returns is marked, and loses the mark when it comes back.

A mistake of a source's must not empty the warehouse. So nothing is marked at once: the windows whose full reading (see
`contract.Page.keys`) lacks known records are read once more at the end of the sync, and what is missing then too is
marked, unless it `is_suspicious`. A marked row keeps its version; it takes the load of the page that told, so that dbt
reads it again.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from dagster_project.ingestion.logs.error_log import note_warning
from dagster_project.ingestion.records.raw_tables import names_of, text_array
from dagster_project.sources.contract import EntitySpec, Page, Window

log = logging.getLogger(__name__)

# Fewer than these are no mass deletion, as long as something of their window is left.
MASS_COUNT = 5
_NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Missing:
    """Records of a fully read window that are known and were not returned.

    Attributes:
        known: how many of the window are known, and not marked, in all.
        keyless: records that the window holds without a usable key.
        untold: missing records, not among `keys`, that may be one of these: nobody can tell.
    """

    entity: EntitySpec
    window: Window
    keys: frozenset[str]
    known: int
    keyless: int = 0
    untold: int = 0

    @property
    def count(self) -> int:
        """How many there are, those included that nobody can tell."""
        return len(self.keys) + self.untold

    def but(self, returned: Collection[str]) -> "Missing":
        """The same without those that were returned elsewhere."""
        return replace(self, keys=self.keys.difference(returned))

    def both(self, other: "Missing") -> "Missing":
        """The same with only those that another reading has missed, too."""
        return replace(self, keys=self.keys & other.keys)


def is_suspicious(missing: int, known: int) -> bool:
    """Whether so much is missing that it is taken for a mistake of the source's: all, or most and not only a few.

    It is asked of each window, and of all windows of a sync in which something is missing taken together: a small
    account loses little in each of its days.
    """
    return 0 < missing == known or (missing >= MASS_COUNT and 2 * missing > known)


def find_missing(conn: psycopg.Connection, page: Page) -> Missing | None:
    """What is missing of a window, once its last page has landed; None where nothing is, or the page cannot tell."""
    if page.keys is None:
        return None
    known, gone, untold = _known_and_missing(conn, page)
    if not gone and not untold:
        return None
    return Missing(page.entity, page.window, frozenset(gone), known, sum(page.keyless.values()), untold)


def believed(conn: psycopg.Connection, found: Sequence[Missing], sync_id: str, *, confirmed: bool) -> list[Missing]:
    """Those of a sync's missing records that may be marked. What may not is logged, and noted for whoever looks.

    Args:
        confirmed: whoever started the sync has said that much is deleted; the sync's row in ops.sync_logs notes it.
    """
    _report_untold(conn, [one for one in found if one.untold], sync_id)
    suspicious = [one for one in found if is_suspicious(one.count, one.known)]
    missing, known = sum(one.count for one in found), sum(one.known for one in found)
    for one in suspicious:
        _report(conn, one.entity, str(one.window), one.count, one.known, sync_id, confirmed)
    if len(suspicious) < len(found) and is_suspicious(missing, known):
        _report(conn, found[0].entity, f"{len(found)} windows together", missing, known, sync_id, confirmed)
        suspicious = list(found)
    return [one for one in found if one.keys and (confirmed or one not in suspicious)]


def mark(conn: psycopg.Connection, missing: Sequence[Missing], load_id: int) -> int:
    """Mark records as deleted. Returns how many.

    Args:
        load_id: of the newest page: dbt reads again what is of a load that it has not seen.
    """
    statement = sql.SQL("""
        update {current} set deleted_at = %s, deletion_reason = %s, load_id = %s where {key} = any(%s)
    """)
    return sum(
        conn.execute(
            statement.format(**names_of(one.entity)),
            (datetime.now(UTC), one.entity.deletion_reason, load_id, text_array(one.keys)),
        ).rowcount
        for one in missing
    )


def restore(conn: psycopg.Connection, entity: EntitySpec, keys: Collection[str], load_id: int) -> int:
    """Take the mark off records that the source returns again, changed or not. Returns how many had it."""
    statement = sql.SQL("""
        update {current} set deleted_at = null, deletion_reason = null, load_id = %s
        where deleted_at is not null and {key} = any(%s)
    """)
    return conn.execute(statement.format(**names_of(entity)), (load_id, text_array(keys))).rowcount


def _known_and_missing(conn: psycopg.Connection, page: Page) -> tuple[int, list[str], int]:
    """How many records of a window are known; those of them that are not among the keys; and how many more may be gone.

    Where windows are days, a record counts as one of these days when its own day is, and it was one of their windows
    that brought it: it is not said that a source cuts its days in the zone in which it writes its times.

    A record without a usable key may be one that had a key before. It is none of those that came, with their keys, in
    the sync that first found it, or later.
    """
    entity, window = page.entity, page.window
    of_window: sql.Composable = sql.SQL("true")
    if entity.day_field:
        day = sql.SQL("left(payload ->> {}, 10)").format(sql.Literal(entity.day_field))
        of_window = sql.SQL("{} between %(first)s and %(last)s").format(day)
    statement = sql.SQL("""
        with known as materialized (
            select {key} as key, load_id from {current} where {of_window} and deleted_at is null
        ), gone as (  -- by counting, not by a join: of a table that was never analysed it would compare each with each
            select key, max(load_id) as load_id
            from (select * from known union all select unnest(%(keys)s::text[]), null) as either
            group by key
            having count(*) = 1 and count(load_id) = 1
        ), missing as (
            select gone.key, load_id >= %(told_from)s as is_told from gone
            left join ops.page_loads using (load_id)
            where coalesce(window_from, %(first)s::date) between %(first)s::date and %(last)s::date
        )
        select (select count(*) from known), array(select key from missing where is_told),
            (select count(*) from missing where not is_told)
    """).format(of_window=of_window, **names_of(entity))
    row = conn.execute(
        statement,
        {
            "keys": text_array(page.keys or ()),
            "first": str(window.day_from or date.min),
            "last": str(window.day_to or date.max),
            "told_from": _told_from(conn, page),
        },
    ).fetchone()
    assert row is not None
    return row


def _told_from(conn: psycopg.Connection, page: Page) -> int:
    """The load from which on a record is known not to be one of those without a key, which were there before."""
    if not page.keyless:
        return 0
    row = conn.execute(
        """
        select count(*), max(found.first_load_id) from raw.quarantine q
        join ops.page_loads p using (load_id)
        cross join lateral (select min(load_id) as first_load_id from ops.page_loads where sync_id = p.sync_id) as found
        where (q.source, q.entity_type) = (%s, %s) and q.record_key is null and q.content_hash = any(%s)
            and q.window_from is not distinct from %s and q.window_to is not distinct from %s
        """,
        (*page.entity.id, list(page.keyless), page.window.day_from, page.window.day_to),
    ).fetchone()
    assert row is not None
    # The quarantine holds equal ones once: of several nobody knows since when the last one is there.
    return row[1] if row[0] == sum(page.keyless.values()) else _NEVER


def _report(
    conn: psycopg.Connection, entity: EntitySpec, window: str, missing: int, known: int, sync_id: str, confirmed: bool
) -> None:
    log.warning(
        "%s %s: the source no longer returns %d of %d records; %s",
        entity.name,
        window,
        missing,
        known,
        "confirmed, they are marked as deleted"
        if confirmed
        else "that is suspicious, none is marked as deleted (--confirm-deletions does it)",
    )
    told = {"window": window, "missing": missing, "known": known}
    place, entry = ("confirmed_deletions", told) if confirmed else ("errors", {"error": "suspicious_deletion"} | told)
    if not confirmed:
        note_warning(
            conn,
            sync_id,
            "SuspiciousDeletion",
            "most of what is known was not returned; none is marked",
            entity=entity.name,
            **told,
        )
    conn.execute(
        """
        update ops.sync_logs
        set metadata = coalesce(metadata, '{}')
            || jsonb_build_object(%(place)s::text, coalesce(metadata -> %(place)s, '[]') || %(entry)s)
        where id = %(sync_id)s
        """,
        {"place": place, "entry": Jsonb([entry]), "sync_id": sync_id},
    )


def _report_untold(conn: psycopg.Connection, found: Sequence[Missing], sync_id: str) -> None:
    for one in found:
        log.warning(
            "%s %s: %d known records were not returned, or are among the %d that came without a usable key; "
            "none of them is marked as deleted",
            one.entity.name,
            one.window,
            one.untold,
            one.keyless,
        )
        note_warning(
            conn,
            sync_id,
            "DeletionsUntold",
            "records without a usable key may be those that are missing",
            entity=one.entity.name,
            window=str(one.window),
            missing=one.untold,
            without_key=one.keyless,
        )
