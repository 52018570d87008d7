"""What of an erased person's record may land: nothing that any field of it could say, but what is counted."""

import json
from typing import Any, get_type_hints

import pytest

from dagster_project.sources.b2chat import people
from dagster_project.sources.b2chat.answers import Item
from dagster_project.sources.b2chat.entities import CHATS, CONTACTS
from dagster_project.sources.b2chat.records import Chat, Contact, Message, read_record
from dagster_project.sources.b2chat_audit.people import KEPT_OF_ROW, people_in, people_of, row_without_person
from dagster_project.sources.contract import Record
from dagster_project.sources.people import by_phones, mentioned
from tests.support.audit_files import COLUMNS

TIMES = {"created_at", "opened_at", "picked_up_at", "responded_at", "closed_at"}
CONTACT_FIELDS = {*get_type_hints(Contact), "id", "name", "mobile_number", "phone_number"}


def full(names: Any, word: str) -> dict[str, Any]:
    """A value for each field of a schema that says which field it was."""
    return {name: f"{word} {name}" for name in names}


def a_chat() -> dict[str, Any]:
    return full(get_type_hints(Chat), "kan") | {
        **dict.fromkeys(TIMES, "2025-10-01 09:00:00"),
        "chat_id": "c1",
        "contact": full(CONTACT_FIELDS, "kan")
        | {"id": 77, "mobile_number": "+57 399 123 4567", "fullname": "Quno Tzabul"},
        "agent": {"username": "ana", "name": "Ana", "email": "ana@example.test", "note": "kan agent"},
        "department": {"name": "Ventas", "code": "V", "note": "kan department"},
        "tags": ["vip", "de quno tzabul", {"name": "lead", "note": "kan tag"}],
        "messages": [
            full(get_type_hints(Message), "kan") | {"created_at": "2025-10-01 09:00:00", "type": "TEXT"},
            "kan",
        ],
        "a_field_of_tomorrow": {"deep": ["kan tomorrow"]},
    }


def landed(value: dict[str, Any]) -> Record:
    record = read_record("chats", Item(0, json.dumps(value), value))
    assert isinstance(record, Record)
    return record


def test_a_chat_of_an_erased_person_lands_with_its_times_and_with_no_other_field_than_those_that_are_counted() -> None:
    record = landed(a_chat())
    assert record.people == ("chat:c1", "contact:77", "contact:kan contact_id", "phone:3991234567")
    left = CHATS.without_person(record, "erased-1")
    assert left is not None
    told = json.loads(left.payload)
    stays = {*people.KEPT_OF_CHAT, "agent", "contact", "department", "tags", "messages"}
    assert told.keys() == stays & get_type_hints(Chat).keys()
    assert told["contact"] == {"id": "erased-1"} and told["tags"] == ["vip", {"name": "lead"}]
    assert told["messages"] == [
        {
            "created_at": "2025-10-01 09:00:00",
            "incoming": "kan incoming",
            "type": "TEXT",
            "broadcasted": "kan broadcasted",
        },
        None,
    ]
    # Codes that a chat is counted by are the only fields that could still say anything.
    said = {name for name in told if "kan" in json.dumps(told[name])}
    assert said <= {"status", "provider", "alias", "duration", "is_agent_available", "messages"}
    assert not left.rejected_parts and left.exact is None and left.key == "c1"


def test_the_same_chat_said_again_is_not_a_changed_one() -> None:
    first = CHATS.without_person(landed(a_chat()), "erased-1")
    assert first is not None
    again = CHATS.without_person(first, "erased-1")
    assert again is not None and (again.content_hash, again.payload) == (first.content_hash, first.payload)
    other = a_chat() | {"viewer_url": "https://other"}
    other["messages"][0]["body"] = "something else"
    changed = CHATS.without_person(landed(other), "erased-1")
    assert changed is not None and changed.content_hash == first.content_hash


def test_a_contact_of_an_erased_person_does_not_land_at_all() -> None:
    value = full(get_type_hints(Contact), "kan") | {"contact_id": 77, "created": "", "updated": "", "tags": None}
    record = read_record("contacts", Item(0, json.dumps(value), value))
    assert isinstance(record, Record) and record.people[0] == "contact:77"
    assert CONTACTS.without_person(record, "erased-1") is None
    assert people.contact_without_person(value, "erased-1") == {"created": "", "updated": "", "contact_id": "erased-1"}


@pytest.mark.parametrize(
    "number", ["+57 399 123 4567", "573991234567", "3991234567", "00573991234567", "(399) 123-45-67"]
)
def test_a_phone_is_one_person_however_it_is_written(number: str) -> None:
    value = {"contact_id": 1, "mobile": number}
    assert people.people_of("contacts", value) == ("contact:1", "phone:3991234567")


def test_a_record_that_cannot_be_read_is_still_known_by_what_it_holds() -> None:
    torn = b'{"chat_id":"c1","contact":{"id": 77,"mobile_number":"+573991234567","name":"Qu'
    assert people.people_in(torn) == ("chat:c1", "contact:77", "phone:3991234567")


def test_a_row_of_the_audit_export_keeps_its_times_and_who_wrote_and_no_other_cell() -> None:
    row = {name.lower().replace(" ", "_"): f"kan {name}" for name in COLUMNS} | {"chat_id": "c1", "contact_id": "77"}
    row |= {"contact_mobile_number": "399 123 4567", "message_bot": ""}
    assert people_of(row) == people_in(json.dumps(row).encode()) == ("chat:c1", "contact:77", "phone:3991234567")
    left = row_without_person(row)
    assert set(left) - set(KEPT_OF_ROW) == {"message_contact", "message_agent", "message_bot"}
    assert (left["message_contact"], left["message_agent"], left["message_bot"]) == ("-", "-", "")
    assert not any("contact" in name for name in KEPT_OF_ROW)


@pytest.mark.parametrize("written", ["+57 300 111 2233", "573001112233", "(300) 111-2233", 573001112233])
def test_a_person_is_known_by_a_number_whatever_way_the_source_writes_it(written: object) -> None:
    assert landed(a_chat() | {"contact": {"mobile_number": written}}).people == ("chat:c1", "phone:3001112233")


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("+57 (300) 123-4567", ("3001234567",)),
        (573001234567, ("3001234567",)),
        ("3001234567 / 601 765 4321", ("3001234567", "6017654321")),
        ("300 123 4567 ext. 12", ("3001234567",)),
        ("6017654321 Extensión 5 o 3001234567", ("6017654321", "3001234567")),
        ("٣٠٠١٢٣٤٥٦٧", ("3001234567",)),
        ("300,123,4567", ("3001234567",)),
        ("12345", ()),
        (None, ()),
    ],
)
def test_a_number_is_the_same_however_it_is_written(written: object, numbers: tuple[str, ...]) -> None:
    assert by_phones(written) == tuple(f"phone:{number}" for number in numbers)


def test_whoever_a_text_mentions_is_found_however_they_are_written() -> None:
    text = (
        'Mail <Ana.Paz@Example.TEST>, or ana%40y.test. Call +57 (300) 123-4567, see "https://x.test/u@z.test/?id='
        '7C9E6679-7425-40DE-944B-E07FC1F90AE7&a=12"'
    )
    assert mentioned(text) == {
        "ana.paz@example.test",
        "ana@y.test",
        "3001234567",
        "u@z.test",
        "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    }
