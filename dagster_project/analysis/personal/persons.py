"""What the warehouse knows of the persons in a chat, so that it can be taken out of it."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from dagster_project.analysis.personal.numbers import without_harmless
from dagster_project.analysis.personal.plain import plain
from dagster_project.analysis.personal.redaction import Known

_IS_NAME = re.compile(r"nombre|name|apellido|conyuge|contacto|titular", re.IGNORECASE)
_NUMBER = re.compile(r"\d(?:[\s.\-]{0,2}\d){4,19}")  # five digits or more


def known(conn: psycopg.Connection, chat_ids: Sequence[str]) -> dict[str, Known]:
    """By chat, its contact's names, numbers and addresses, also those in custom fields, and the names of all agents:
    one may speak of another."""
    agents = conn.execute("select name, email from core.agents order by id").fetchall()
    names = [name for name, _ in agents]
    emails = [("EMAIL", email) for _, email in agents if email]
    rows = conn.execute(
        """
        select
            chats.id, contacts.full_name, contacts.mobile, contacts.phone_number, contacts.email,
            contacts.identification, contacts.address, contacts.custom_attributes
        from core.chats
        left join core.contacts on contacts.id = chats.contact_id
        where chats.id = any(%s)
        """,
        [list(chat_ids)],
    )
    found = {}
    for chat_id, name, mobile, phone, email, identification, address, attributes in rows:
        own = [("TEL", mobile), ("TEL", phone), ("EMAIL", email), ("CEDULA", identification), ("DIRECCION", address)]
        fields = list(_texts(attributes))
        numbers = [
            ("NUMERO", number) for _, text in fields for number in _NUMBER.findall(without_harmless(plain(text).text))
        ]
        values = (*((kind, value) for kind, value in own if value), *numbers, *emails)
        named = [text for key, text in fields if _IS_NAME.search(key)]
        found[chat_id] = Known(tuple(dict.fromkeys([*filter(None, [name]), *named, *names])), values)
    return found | _known_in_rooms(conn, [chat_id for chat_id in chat_ids if chat_id.startswith("rooms:")], names)


def _known_in_rooms(conn: psycopg.Connection, chat_ids: Sequence[str], names: Sequence[str]) -> dict[str, Known]:
    """Everybody who takes part in a room, or did, whichever side they are on."""
    if not chat_ids:
        return {}
    rows = conn.execute(
        """
        select
            rooms.chat_id,
            array_remove(array_agg(distinct called.name), null),
            array_remove(array_agg(distinct users.email), null)
        from core.rooms
        inner join core.room_participants as participants on participants.room_id = rooms.id
        inner join core.room_users as users on users.id in (participants.user_id, rooms.creator_id)
        cross join lateral (
            values (users.name), (users.display_name), (users.username),
                (concat_ws(' ', users.first_name, users.last_name))
        ) as called (name)
        where rooms.chat_id = any(%s)
        group by rooms.chat_id
        """,
        [list(chat_ids)],
    )
    return {
        chat_id: Known(tuple(dict.fromkeys([*people, *names])), tuple(("EMAIL", email) for email in emails))
        for chat_id, people, emails in rows
    }


def _texts(attributes: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """The values of custom fields, each with its field's name."""
    if isinstance(attributes, dict):
        for name, value in attributes.items():
            yield from _texts(value, str(name))
    elif isinstance(attributes, list):
        for value in attributes:
            yield from _texts(value, key)
    elif isinstance(attributes, str | int | float):
        yield key, str(attributes)
