"""Who a person is in the warehouse: the contact, by what it is known, and which chats are or were its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from dagster_project.sources.b2chat.people import people_of, texts_of
from dagster_project.sources.people import by_chat, by_phones, known_by
from dagster_project.warehouse.connection import has_relation

MARK = "erased-"  # the token of whoever was erased begins with it


class NoSuchPerson(Exception):
    """Nobody is known by that, or several are; one line that says what to do, without a number or a name."""


@dataclass(frozen=True)
class Person:
    """A contact and what is its own.

    Attributes:
        contact_id: B2Chat's id.
        known_by: the id and phones, as `sources/people.py` writes them; phones that others have too are left out.
        texts: names, numbers and addresses, by which the person is looked for in free texts; in small letters.
        chats: ids of its chats.
        former_chats: ids of chats that were its own once, and are another contact's now.
    """

    contact_id: str
    known_by: tuple[str, ...]
    texts: tuple[str, ...]
    chats: tuple[str, ...]
    former_chats: tuple[str, ...] = ()

    @property
    def all_known_by(self) -> tuple[str, ...]:
        """The same with its chats: one that comes without its contact is known too."""
        return (*self.known_by, *map(by_chat, self.chats))


def contact_by_phone(conn: psycopg.Connection, number: str) -> str:
    """The id of the contact that has a phone number, however it is written.

    Raises:
        NoSuchPerson: none has, or several have.
    """
    wanted = set(by_phones(number))
    if not wanted:
        raise NoSuchPerson("a phone number has seven digits at least")
    found = sorted({contact_id for contact_id, phone in _phones(conn) if not wanted.isdisjoint(by_phones(phone))})
    if len(found) != 1:
        raise NoSuchPerson(
            f"{len(found)} contacts have that number: give --contact, one of {', '.join(found)}"
            if found
            else "no contact has that number"
        )
    return found[0]


def find(conn: psycopg.Connection, contact_id: str) -> Person:
    """All that tells what is a contact's own. Reads what is landed and not built yet as well.

    Raises:
        NoSuchPerson: there is neither such a contact nor a chat of it, or it was erased.
    """
    if contact_id.startswith(MARK):
        raise NoSuchPerson("that is somebody who was erased: nothing is held any more")
    chats = _chats(conn, contact_id)
    contacts = _contacts_of(conn, contact_id, chats)
    former = _former_chats(conn, contact_id, chats)
    if not contacts and not chats and not former:
        raise NoSuchPerson("there is no such contact, and no chat of it")
    people = {one for contact in contacts for one in people_of("contacts", contact)}
    # Who else has a number now is not who is to be forgotten.
    of_others = {one for other, number in _phones(conn) if other != contact_id for one in by_phones(number)}
    own = {one for one in people if one.startswith("phone:")} - of_others
    texts = {text for contact in contacts for text in texts_of(contact)}
    return Person(contact_id, known_by(f"contact:{contact_id}", *sorted(own)), tuple(sorted(texts)), chats, former)


def _contacts_of(conn: psycopg.Connection, contact_id: str, chats: Sequence[str]) -> list[Mapping[str, Any]]:
    """The contact in each form that it was ever seen in: of the contacts export, its versions, and inside chats."""
    rows = conn.execute(
        """
        select payload from raw.b2chat_contacts where contact_id = %(id)s
        union all
        select payload from raw.b2chat_contact_versions where contact_id = %(id)s
        """,
        {"id": contact_id},
    ).fetchall()
    found: list[Mapping[str, Any]] = [{**payload, "contact_id": contact_id} for (payload,) in rows]
    if has_relation(conn, "core.contacts"):
        query = """
            select jsonb_build_object('contact_id', id, 'fullname', full_name, 'mobile', mobile,
                'landline', phone_number, 'email', email, 'identification', identification, 'address', address)
            from core.contacts where id = %s
        """
        found += [contact for (contact,) in conn.execute(query, [contact_id])]
    query = "select payload -> 'contact' from raw.b2chat_chats where chat_id = any(%s) and payload ? 'contact'"
    for (contact,) in conn.execute(query, [list(chats)]):
        found.append({**contact, "contact_id": contact_id})
    return found


def _chats(conn: psycopg.Connection, contact_id: str) -> tuple[str, ...]:
    """Its chats by the built table, and by what has landed since it was built."""
    built = 0
    known = set[str]()
    if has_relation(conn, "core.chats"):
        row = conn.execute("select load_id from ops.build_watermarks where model = 'chats'").fetchone()
        built = row[0] if row else 0
        known = {one for (one,) in conn.execute("select id from core.chats where contact_id = %s", [contact_id])}
    landed = conn.execute(
        "select chat_id, coalesce(payload -> 'contact' ->> 'id', payload -> 'contact' ->> 'contact_id') = %s "
        "from raw.b2chat_chats where load_id > %s or chat_id = any(%s)",
        [contact_id, built, list(known)],
    ).fetchall()
    known -= {chat_id for chat_id, is_own in landed if not is_own}
    known |= {chat_id for chat_id, is_own in landed if is_own}
    query = """
        select chat_id from raw.b2chat_audit_chats as audit
        where payload ->> 'contact_id' = %s
            and not exists (select from raw.b2chat_chats as chats where chats.chat_id = audit.chat_id)
    """
    known |= {chat_id for (chat_id,) in conn.execute(query, [contact_id])}
    return tuple(sorted(known))


def _former_chats(conn: psycopg.Connection, contact_id: str, chats: Iterable[str]) -> tuple[str, ...]:
    """By all versions, of which no index knows the contact: the one step that reads them all."""
    query = """
        select distinct chat_id from raw.b2chat_chat_versions
        where coalesce(payload -> 'contact' ->> 'id', payload -> 'contact' ->> 'contact_id') = %s
            and chat_id <> all(%s)
    """
    return tuple(sorted(chat_id for (chat_id,) in conn.execute(query, [contact_id, list(chats)])))


def _phones(conn: psycopg.Connection) -> list[tuple[str, str]]:
    query = """
        select contact_id, phone from raw.b2chat_contacts cross join lateral (values
            (payload ->> 'mobile'), (payload ->> 'mobile_number'),
            (payload ->> 'phone_number'), (payload ->> 'landline')
        ) as known (phone) where phone <> ''
    """
    found = conn.execute(query).fetchall()
    if has_relation(conn, "core.contacts"):
        query = "select id, phone from core.contacts cross join unnest(array[mobile, phone_number]) as phone"
        found += conn.execute(query + " where phone is not null").fetchall()
    return found
