"""All that is held of one person, as one JSON document: what a request for access or portability asks for."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dagster_project.erasure.person import Person
from dagster_project.settings import Settings
from dagster_project.warehouse import suppression
from dagster_project.warehouse.access import audit_log
from dagster_project.warehouse.archive import states
from dagster_project.warehouse.connection import has_relation

_OWN = "chat_id = any(%(chats)s)"
# By table, what of it is the person's. Of the two forms of a record, the one that came and the one that is counted by.
_HELD = {
    "raw.b2chat_contacts": "contact_id = %(contact)s",
    "raw.b2chat_contact_versions": "contact_id = %(contact)s",
    "raw.b2chat_chats": _OWN,
    "raw.b2chat_chat_versions": _OWN,
    "raw.b2chat_audit_chats": _OWN,
    "raw.b2chat_audit_messages": _OWN,
    "core.contacts": "id = %(contact)s",
    "core.chats": "id = any(%(chats)s)",
    "core.messages": _OWN,
    "marts.chat_response_times": _OWN,
    "marts.reply_turns": _OWN,
    "marts.chat_tags": _OWN,
    "marts.contact_activity": "contact_id = %(contact)s",
    "analysis.classification_queue": _OWN,
    "analysis.human_labels": _OWN,
    "analysis.review_queue": _OWN,
    "analysis.customer_categorizations": _OWN,
    "analysis.effectiveness_analysis": _OWN,
    "analysis.classifications": (
        "classification_id in ("
        "select classification_id from analysis.classification_queue where chat_id = any(%(chats)s))"
    ),
}
_QUARANTINE = """
    select quarantine_id, entity_type, rule, quarantined_at, convert_from(payload_bytes, 'latin1') as payload
    from raw.quarantine
    where (source = 'b2chat' and entity_type = 'contacts' and record_key = %(contact)s)
        or (entity_type <> 'contacts' and record_key = any(%(chats)s))
    order by quarantine_id
"""


class FileIsThere(Exception):
    """The file that was to be written is there already."""


def write(conn: psycopg.Connection, settings: Settings, person: Person, out: Path, user: str) -> dict[str, int]:
    """Write all that is held of a person into a new file, open to its owner alone, and note that it was handed out.

    The audit log names the person by the hash that the list of erased people would have, for it outlasts them.

    Returns:
        by place, how many rows.

    Raises:
        FileIsThere: nothing is written over.
    """
    document = {"contact_id": person.contact_id, "tables": _rows(conn, person), "files": _files(conn, person)}
    return hand_out(conn, settings, document, person.known_by[0], out, user)


def hand_out(
    conn: psycopg.Connection, settings: Settings, document: Mapping[str, Any], known_by: str, out: Path, user: str
) -> dict[str, int]:
    """Write a document about somebody, with rows by `tables`, as `write` does."""
    try:
        file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise FileIsThere(f"{out} is there already: nothing is written over") from None
    with os.fdopen(file, "w") as opened:
        json.dump(document, opened, default=str, ensure_ascii=False, indent=1)
    counts = {table: len(rows) for table, rows in document["tables"].items() if rows}
    hashed = suppression.writer(conn, settings)(known_by).hex()
    audit_log.record(
        conn, "export.person", resource="person", resource_id=hashed, user=user, metadata={"counts": counts}
    )
    return counts


def _rows(conn: psycopg.Connection, person: Person) -> dict[str, list[dict[str, Any]]]:
    ids = {"contact": person.contact_id, "chats": list(person.chats)}
    with conn.cursor(row_factory=dict_row) as cursor:
        found = {
            table: cursor.execute(f"select * from {table} where {condition}", ids).fetchall()  # noqa: S608
            for table, condition in _HELD.items()
            if has_relation(conn, table)
        }
        return found | {"raw.quarantine": cursor.execute(_QUARANTINE, ids).fetchall()}


def _files(conn: psycopg.Connection, person: Person) -> dict[str, Any]:
    """Where more of the person lies: archived months, which `b2chat archive restore` brings back first."""
    if not has_relation(conn, "core.chats"):
        return {}
    return {"archives": [one.label for one in states.holding(conn, person.contact_id) if one.state in states.AWAY]}
