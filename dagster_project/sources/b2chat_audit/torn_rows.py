"""Quarantine of a file that was cut: over when the whole of it has landed, before or after.

A row that was cut is, at the same place of the whole file, one whose cells begin as its own do.
"""

import json
from collections.abc import Mapping

import psycopg

from dagster_project.sources.contract import Page

_BROKEN_CHARACTER = "".join(map(chr, range(0xDC80, 0xDD00)))  # how the bytes of a character cut in two were read


def resolve_torn_rows(conn: psycopg.Connection, page: Page) -> None:
    """Close the torn rows that a page explains, and those of the page that what has landed explains."""
    whole = {record.columns[1]: record.payload for record in page.records}
    torn = conn.execute(_TORN_ROWS).fetchall()
    resolved = [
        quarantine_id
        for quarantine_id, data, position, landed in torn
        if (position in whole and _is_torn_from(json.loads(data), json.loads(whole[position])))
        or any(_is_torn_from(json.loads(data), payload) for payload in landed)
    ]
    if resolved:
        conn.execute("update raw.quarantine set resolved_at = now() where quarantine_id = any(%s)", (resolved,))


def _is_torn_from(torn: Mapping[str, str], whole: Mapping[str, str]) -> bool:
    """Whether a row's cells are another's up to a cell that breaks off; one character may have been cut in two."""
    unequal = [name for name, cell in torn.items() if whole.get(name) != cell]
    if len(torn) >= len(whole) or len(unequal) > 1:
        return False
    return all(whole.get(name, "").startswith(torn[name].rstrip(_BROKEN_CHARACTER)) for name in unequal)


_TORN_ROWS = """
    select torn.quarantine_id, torn.payload_bytes, torn.position, array(
        select whole.payload from raw.b2chat_audit_messages as whole
        where whole.chat_id = torn.record_key and whole.position = torn.position)
    from raw.quarantine as torn
    where torn.source = 'b2chat_audit' and torn.rule = 'cells_do_not_fit' and torn.resolved_at is null
"""
