"""A source that serves exported chats from files, and the contacts that those chats know."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from dagster_project.sources.b2chat.sandbox.source import ChatQuery, ContactQuery, Page, Record, provider_slug


class ReplayFileError(ValueError):
    """A file that is not a chats export; the message names it."""


class ReplaySource:
    """The chats of `files`, each the export's envelope or a bare list of chats, served as they are.

    A chat that several files hold is taken from the last of them. Records do not change with the clock.
    Raises ReplayFileError, and OSError for a file that cannot be read.
    """

    kind: Literal["replay"] = "replay"

    def __init__(self, *files: str | Path) -> None:
        chats = {chat["chat_id"]: chat for file in files for chat in _read(Path(file))}
        self._chats = sorted(chats.values(), key=lambda chat: (chat["created_at"], chat["chat_id"]))
        self._contacts = _contacts_of(self._chats)

    def chats(self, query: ChatQuery, now: datetime) -> Page:
        """The page of chats that `query` selects."""
        lookup = (query.contact_lookup or "").lower()
        return _page(
            [
                chat
                for chat in self._chats
                if query.created.hold(chat["created_at"])
                and query.provider in (None, provider_slug(chat.get("provider") or ""))
                and (not lookup or _mentions(chat.get("contact") or {}, lookup))
            ],
            query,
        )

    def contacts(self, query: ContactQuery, now: datetime) -> Page:
        """The page of contacts that `query` selects."""
        page = _page(
            [
                contact
                for contact in self._contacts
                if query.created.hold(contact["created"]) and query.updated.hold(contact["updated"])
            ],
            query,
        )
        hidden: Record = {} if query.with_tags else {"tags": None}
        hidden |= {} if query.with_custom_attributes else {"custom_attributes": None}
        return Page([contact | hidden for contact in page.records], page.total)


def _read(file: Path) -> list[Record]:
    try:
        content = json.loads(file.read_bytes())
    except ValueError as malformed:
        raise ReplayFileError(f"{file}: not JSON: {malformed}") from None
    chats = content.get("chats") if isinstance(content, dict) else content
    if not isinstance(chats, list):
        raise ReplayFileError(f"{file}: neither a list of chats nor an envelope with one")
    for position, chat in enumerate(chats):
        if not (isinstance(chat, dict) and _is_text(chat.get("chat_id")) and _is_text(chat.get("created_at"))):
            raise ReplayFileError(f"{file}: chat {position} has no chat_id or no created_at")
    return chats


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _contacts_of(chats: Iterable[Record]) -> list[Record]:
    """The contacts of `chats` in the shape of the contacts export, with the values of their latest chat.

    A contact's life is what its chats show: created with the earliest of them, updated with the latest.
    """
    contacts: dict[Any, Record] = {}
    for chat in chats:
        known = chat.get("contact") or {}
        contact_id = known.get("id", known.get("contact_id"))
        if contact_id is None:
            continue
        created = contacts.get(contact_id, {}).get("created", chat["created_at"])
        contacts[contact_id] = {
            "contact_id": contact_id,
            "fullname": known.get("name", known.get("fullname", "")),
            "identification": known.get("identification", ""),
            "email": known.get("email", ""),
            "landline": known.get("phone_number", known.get("landline", "")),
            "mobile": known.get("mobile_number", known.get("mobile", "")),
            "address": "",
            "country": "",
            "city": "",
            "company": "",
            "merchant_id": None,
            "created": created,
            "updated": chat["created_at"],
            "custom_attributes": known.get("custom_attributes"),
            "tags": known.get("tags"),
            "row_index": None,
        }
    return sorted(contacts.values(), key=lambda contact: (contact["created"], str(contact["contact_id"])))


def _mentions(contact: Record, lookup: str) -> bool:
    names = ("id", "contact_id", "name", "fullname", "mobile_number", "mobile", "email")
    return any(lookup in str(contact.get(name) or "").lower() for name in names)


def _page(matching: list[Record], query: ChatQuery | ContactQuery) -> Page:
    ordered = matching[::-1] if query.descending else matching
    return Page(ordered[query.offset : query.offset + query.limit], len(matching))
