"""Who a record of B2Chat's is about, and what of it may stay when that person has been erased."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Literal

from dagster_project.sources.people import by_chat, by_contact, by_phones, known_by

_PHONES = ("mobile", "mobile_number", "phone_number", "landline")
# What a chat keeps: its times, whose work it was, and what it is counted by. All else goes, known or not.
KEPT_OF_CHAT = (
    "chat_id",
    "created_at",
    "opened_at",
    "picked_up_at",
    "responded_at",
    "closed_at",
    "duration",
    "status",
    "provider",
    "alias",
    "priority",
    "is_agent_available",
)
KEPT_OF_AGENT = ("username", "email", "name")
KEPT_OF_DEPARTMENT = ("code", "name", "department_code", "department_name")
KEPT_OF_MESSAGE = ("created_at", "incoming", "type", "broadcasted")
KEPT_OF_TAG = ("name",)
KEPT_OF_CONTACT = ("created", "updated")
_IN_BYTES = re.compile(
    rb'"(contact_id|id|chat_id|mobile|mobile_number|phone_number|landline)"\s*:\s*(?:"((?:[^"\\]|\\.){1,200})|(\d{1,40}))'
)


def people_of(entity: Literal["chats", "contacts"], value: Mapping[str, Any]) -> tuple[str, ...]:
    """By what the person of a record is known; of a chat also by the chat."""
    if entity == "contacts":
        return known_by(by_contact(value.get("contact_id")), *_by_phones(value))
    chat_id, contact = value.get("chat_id"), value.get("contact")
    chat = by_chat(str(chat_id)) if isinstance(chat_id, str | int) else None
    if not isinstance(contact, dict):
        return known_by(chat)
    ids = (by_contact(contact.get(name)) for name in ("id", "contact_id"))
    return known_by(chat, *ids, *_by_phones(contact))


def people_in(data: bytes) -> tuple[str, ...]:
    """The same of bytes that nobody can read as a record."""
    found = list[str | None]()
    for name, text, number in _IN_BYTES.findall(data):
        value = (text or number).decode(errors="replace")
        if name in (b"contact_id", b"id"):
            found.append(by_contact(value))
        elif name == b"chat_id":
            found.append(by_chat(value))
        else:
            found += by_phones(value)
    return known_by(*found)


def chat_without_person(value: Mapping[str, Any], token: str) -> Any:
    """A chat as it may land: its times and what is counted of it, the token in the contact's place.

    Messages keep their place, time, direction and kind. A tag that names the person goes as well.
    """
    kept = _kept(value, KEPT_OF_CHAT)
    if "department" in value:
        kept["department"] = _kept(value["department"], KEPT_OF_DEPARTMENT)
    if "agent" in value:
        kept["agent"] = _kept(value["agent"], KEPT_OF_AGENT)
    if isinstance(value.get("tags"), list):
        named = texts_of(value.get("contact"))
        tags = (_kept(tag, KEPT_OF_TAG) for tag in value["tags"])
        kept["tags"] = [tag for tag in tags if tag and not _names(tag, named)]
    if "messages" in value:
        messages = value["messages"]
        kept["messages"] = messages and [
            _kept(one, KEPT_OF_MESSAGE) if isinstance(one, dict) else None for one in messages
        ]
    return kept | {"contact": {"id": token}}


def contact_without_person(value: Mapping[str, Any], token: str) -> Any:
    """What stays of a contact: that there was one, since when."""
    return _kept(value, KEPT_OF_CONTACT) | {"contact_id": token}


def texts_of(contact: Any) -> frozenset[str]:
    """What names a person in other texts: name, numbers, addresses; of more than five characters, in small letters."""
    if not isinstance(contact, dict):
        return frozenset()
    names = ("fullname", "name", "email", "identification", "address", *_PHONES)
    texts = {str(contact[name]).strip().casefold() for name in names if isinstance(contact.get(name), str | int)}
    return frozenset(text for text in texts if len(text) > 5) | {text.lstrip("+") for text in texts if len(text) > 7}


def _by_phones(contact: Mapping[str, Any]) -> Iterator[str]:
    return chain.from_iterable(by_phones(contact.get(name)) for name in _PHONES)


def _kept(value: Any, names: tuple[str, ...]) -> Any:
    """The members of an object that may stay; of what should be one and is a text, the text; of all else nothing."""
    if isinstance(value, Mapping):
        return {name: value[name] for name in names if name in value and not isinstance(value[name], dict | list)}
    return [] if isinstance(value, list) else value


def _names(tag: Any, named: frozenset[str]) -> bool:
    text = (tag if isinstance(tag, str) else json.dumps(tag, ensure_ascii=False)).casefold()
    return any(one in text for one in named)
