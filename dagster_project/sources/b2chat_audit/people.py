"""Who a row of the audit export is about, and what of it may stay when that person has been erased."""

import json
from collections.abc import Mapping
from typing import Any

from dagster_project.sources.people import by_chat, by_contact, by_phones, known_by

KEPT_OF_ROW = (
    "chat_id",
    "chat_created_at",
    "provider",
    "department",
    "agent_id",
    "agent_name",
    "agent_username",
    "agent_email",
    "message_created_at",
    "message_incoming",
    "message_type",
    "alias",
    "bot",
    "status",
    "opened_at",
    "picked_up_at",
    "responded_at",
    "closed_at",
    "duration",
    "outgoing",
    "broadcasted",
)
_BODIES = ("message_contact", "message_agent", "message_bot")
_WRITTEN = "-"  # in the place of what was written: which of the cells is filled tells who wrote


def people_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """By what the person of a row is known; also by the chat, for a row may name nobody."""
    chat_id = str(row.get("chat_id") or "").strip()
    phones = (one for name in ("contact_phone_number", "contact_mobile_number") for one in by_phones(row.get(name)))
    return known_by(by_chat(chat_id) if chat_id else None, by_contact(row.get("contact_id")), *phones)


def people_in(data: bytes) -> tuple[str, ...]:
    """The same of what quarantine keeps of a row: its cells by the columns' names."""
    try:
        row = json.loads(data)
    except ValueError:
        return ()
    return people_of(row) if isinstance(row, dict) else ()


def row_without_person(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row that has landed, with its times and who wrote, and without what was written, or by whom."""
    kept = {name: row[name] for name in KEPT_OF_ROW if name in row}
    return kept | {name: _WRITTEN if row[name] else "" for name in _BODIES if name in row}
