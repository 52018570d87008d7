"""Soft deletion: a record that B2Chat no longer returns is marked, and loses the mark when it comes back.

Only a whole reading of a window from its start says that a record is gone. A marked row keeps its version; it takes
the load of the page that told, so that dbt reads it again.
"""

import logging
from collections.abc import Collection
from datetime import date, datetime
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from dagster_project.b2chat.records import KEY_FIELD, Entity
from dagster_project.b2chat.windows import Window, WindowPage

log = logging.getLogger(__name__)

REASONS: dict[Entity, str] = {
    "chats": "not returned by a whole reading of its day",
    "contacts": "not returned by a whole reading of all contacts",
}
# A reading that would delete this many records, and more than half of those known, is taken for B2Chat's mistake.
SUSPICIOUS_COUNT = 20


def mark_missing(
    conn: psycopg.Connection, page: WindowPage, sync_id: str, load_id: int, at: datetime, *, confirmed: bool = False
) -> int:
    """Mark the records of a window that its whole reading did not bring. Returns how many.

    Nothing is marked when the reading is suspicious (see `SUSPICIOUS_COUNT`), unless whoever started the sync has
    confirmed that much is deleted. Either is logged, and added to `errors` or to `confirmed_deletions` in the metadata
    of the sync's row in ops.sync_logs, which says who and when.
    """
    window = page.window
    if page.keys is None:
        return 0
    if window.entity == "chats" and window.day_from and window.day_to:
        known, missing = _missing_chats(conn, page.keys, window.day_from, window.day_to)
    elif window == Window("contacts"):
        known, missing = _missing_contacts(conn, page.keys)
    else:
        return 0
    if len(missing) >= SUSPICIOUS_COUNT and 2 * len(missing) > known:
        _report(conn, window, sync_id, len(missing), known, confirmed)
        if not confirmed:
            return 0
    return _mark(conn, window.entity, missing, load_id, at) if missing else 0


def restore(conn: psycopg.Connection, entity: Entity, keys: Collection[str], load_id: int) -> int:
    """Take the mark off records that B2Chat returns again, changed or not. Returns how many had it."""
    statement = sql.SQL("""
        update {current} set deleted_at = null, deletion_reason = null, load_id = %s
        where deleted_at is not null and {key} = any(%s)
    """)
    return conn.execute(statement.format(**_names(entity)), (load_id, list(keys))).rowcount


def _missing_chats(
    conn: psycopg.Connection, keys: Collection[str], first: date, last: date
) -> tuple[int, list[str]]:
    """How many chats of these days are known, and those of them that are not among the keys.

    A chat counts as one of these days when its creation day is, and it was one of their windows that brought it: it
    is not said that B2Chat cuts its days in the zone in which it writes its times.
    """
    return _known_and_missing(conn, """
        with known as materialized (
            select chat_id as key, load_id from raw.chats
            where left(payload ->> 'created_at', 10) between %(first)s and %(last)s and deleted_at is null
        ), missing as (
            select known.key from known
            left join ops.page_loads using (load_id)
            where not exists (select from unnest(%(keys)s::text[]) as seen (key) where seen.key = known.key)
                and coalesce(window_from, %(first)s::date) between %(first)s::date and %(last)s::date
        )
        select (select count(*) from known), array(select key from missing)
    """, {"keys": list(keys), "first": str(first), "last": str(last)})


def _missing_contacts(conn: psycopg.Connection, keys: Collection[str]) -> tuple[int, list[str]]:
    return _known_and_missing(conn, """
        select (select count(*) from raw.contacts where deleted_at is null), array(
            select contact_id from raw.contacts
            where deleted_at is null
                and not exists (select from unnest(%(keys)s::text[]) as seen (key) where seen.key = contact_id))
    """, {"keys": list(keys)})


def _known_and_missing(
    conn: psycopg.Connection, query: LiteralString, values: dict[str, object]
) -> tuple[int, list[str]]:
    row = conn.execute(query, values).fetchone()
    assert row is not None
    return row[0], row[1]


def _mark(conn: psycopg.Connection, entity: Entity, keys: list[str], load_id: int, at: datetime) -> int:
    statement = sql.SQL("""
        update {current} set deleted_at = %s, deletion_reason = %s, load_id = %s where {key} = any(%s)
    """)
    return conn.execute(statement.format(**_names(entity)), (at, REASONS[entity], load_id, keys)).rowcount


def _report(
    conn: psycopg.Connection, window: Window, sync_id: str, missing: int, known: int, confirmed: bool
) -> None:
    log.warning("%s %s: B2Chat no longer returns %d of %d records; %s", window.entity, window, missing, known,
                "confirmed, they are marked as deleted" if confirmed else
                "that is suspicious, none is marked as deleted (--confirm-deletions does it)")
    told = {"window": str(window), "missing": missing, "known": known}
    place, entry = ("confirmed_deletions", told) if confirmed else ("errors", {"error": "suspicious_deletion"} | told)
    conn.execute(
        """
        update ops.sync_logs
        set metadata = coalesce(metadata, '{}')
            || jsonb_build_object(%(place)s::text, coalesce(metadata -> %(place)s, '[]') || %(entry)s)
        where id = %(sync_id)s
        """,
        {"place": place, "entry": Jsonb([entry]), "sync_id": sync_id},
    )


def _names(entity: Entity) -> dict[str, sql.Composable]:
    return {"current": sql.Identifier("raw", entity), "key": sql.Identifier(KEY_FIELD[entity])}
