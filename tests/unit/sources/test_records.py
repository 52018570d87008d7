"""The identity of a record, what is cleaned, and what is refused."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dagster_project.sources.b2chat.answers import Item, UnreadableAnswer, read_envelope
from dagster_project.sources.b2chat.records import hash_of, read_record
from dagster_project.sources.canonical import canonical_json
from dagster_project.sources.cleaning import MAX_TEXT_LENGTH, clean, may_need_cleaning
from dagster_project.sources.contract import Record, Rejected

ANY_TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(["a\x00b", "\ud800", "\ud83d\ude00x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)
CHAT = {"chat_id": "c1", "created_at": "2025-10-01 09:00:00", "messages": []}


def read(value: Any, entity: Any = "chats") -> Record | Rejected:
    return read_record(entity, Item(0, json.dumps(value), value))


def read_text(text: str) -> Record | Rejected:
    body = ('{"chats":[' + text + '],"exported":1,"total":1}').encode("utf-8", "surrogateescape")
    return read_record("chats", read_envelope(body, "chats").items[0])


def rule_of(value: Any, entity: Any = "chats") -> str:
    judged = read(value, entity)
    assert isinstance(judged, Rejected)
    return judged.problem.rule


def test_the_hash_is_sha256_of_sorted_compact_json() -> None:
    expected = hashlib.sha256('{"a":[1,"ñ"],"b":null}'.encode()).hexdigest()
    assert hash_of("chats", {"b": None, "a": [1, "ñ"]}) == expected


@given(st.dictionaries(ANY_TEXT, JSON, max_size=5))
def test_the_hash_does_not_depend_on_the_order_of_fields(value: dict[str, Any]) -> None:
    cleaned, _ = clean(value)
    assert hash_of("chats", cleaned) == hash_of("chats", dict(reversed(cleaned.items())))


@given(JSON)
def test_cleaning_leaves_nothing_to_clean_and_can_always_be_stored(value: Any) -> None:
    cleaned, done = clean(value)
    assert clean(cleaned) == (cleaned, [])
    canonical_json(cleaned).encode()
    if done:
        assert may_need_cleaning(canonical_json(value))
    else:
        assert cleaned == value


def test_a_contacts_row_number_does_not_make_it_a_changed_contact() -> None:
    first, second = ({"contact_id": 7, "row_index": row} for row in (1, 2))
    assert hash_of("contacts", first) == hash_of("contacts", second)
    assert hash_of("contacts", first) != hash_of("contacts", {"contact_id": 8, "row_index": 1})


def test_nuls_and_lone_surrogates_are_replaced_listed_and_kept_as_exact_bytes() -> None:
    text = (
        r'{"chat_id":"c1","created_at":"2025-10-01 09:00:00","messages":'
        r'[{"created_at":"2025-10-01 09:00:00","body":"a\u0000b \ud83d\ude00 \ud800"}]}'
    )
    record = read_text(text)
    assert isinstance(record, Record)
    assert json.loads(record.payload)["messages"][0]["body"] == "a\ufffdb \U0001f600 \ufffd"
    assert record.cleaned == [
        {"path": "messages[0].body", "rule": "nul_replaced"},
        {"path": "messages[0].body", "rule": "lone_surrogate_replaced"},
    ]
    assert record.exact == text.encode()


def test_a_raw_nul_byte_and_bytes_that_are_not_utf8_survive_as_exact_bytes() -> None:
    exact = b'{"chat_id":"c1","created_at":"2025-10-01 09:00:00","alias":"x\x00y\xff"}'
    envelope = read_envelope(b'{"chats":[' + exact + b'],"total":1}', "chats")
    record = read_record("chats", envelope.items[0])
    assert isinstance(record, Record)
    assert record.exact == exact
    assert json.loads(record.payload)["alias"] == "x\ufffdy\ufffd"


def test_emoji_and_a_bom_are_left_alone() -> None:
    body = '\ufeff{"chats":[{"chat_id":"c1","created_at":"2025-10-01 09:00:00","alias":"👩‍👩‍👧"}],"total":1}'.encode()
    record = read_record("chats", read_envelope(body, "chats").items[0])
    assert isinstance(record, Record)
    assert record.exact is None
    assert "👩‍👩‍👧" in record.payload


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"chat_id":"c1","x":NaN}', "number_refused"),
        ('{"chat_id":"c1","x":[-Infinity]}', "number_refused"),
        ('{"chat_id":"c1","x":1e400}', "number_refused"),
        ('{"chat_id":"c1","x":' + "9" * 5000 + "}", "number_refused"),
        ('{"chat_id":"c1","x":' + "[" * 20_000 + '"]"' + "]" * 20_000 + "}", "nested_too_deep"),
        ('{"chat_id":"c1","x":' + "[" * 101 + "]" * 101 + "}", "nested_too_deep"),
        ("NaN", "number_refused"),
    ],
)
def test_one_record_that_cannot_be_read_does_not_cost_its_neighbours(text: str, rule: str) -> None:
    good = json.dumps(CHAT)
    envelope = read_envelope(f'{{"total":3, "chats":[{good}, {text} ,{good}]}}'.encode(), "chats")
    first, bad, last = (read_record("chats", item) for item in envelope.items)
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(bad, Rejected)
    assert (bad.problem.rule, bad.data.decode()) == (rule, text)


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ([], "not_an_object"),
        (None, "not_an_object"),
        (CHAT | {"chat_id": None}, "key_missing"),
        (CHAT | {"chat_id": ""}, "key_missing"),
        (CHAT | {"chat_id": " "}, "key_unusable"),
        (CHAT | {"chat_id": True}, "key_unusable"),
        (CHAT | {"chat_id": "a\x00"}, "key_unusable"),
        (CHAT | {"chat_id": "x" * 201}, "key_too_long"),
        (CHAT | {"created_at": ""}, "time_missing"),
        (CHAT | {"created_at": "2025-02-30 10:00:00"}, "time_unreadable"),
        (CHAT | {"created_at": "2025-10-01T09:00:00Z"}, "time_unreadable"),
        (CHAT | {"closed_at": "01/10/2025 9:00"}, "time_unreadable"),
        (CHAT | {"closed_at": 1706644084}, "time_unreadable"),
        (CHAT | {"opened_at": "0001-01-01 00:00:00"}, "time_out_of_range"),
        (CHAT | {"messages": {"0": {}}}, "messages_not_a_list"),
        (CHAT | {"agent": "ana"}, "field_type_changed"),
        (CHAT | {"agent": {"username": ["ana"]}}, "field_type_changed"),
        (CHAT | {"contact": [{"id": 7}]}, "field_type_changed"),
        (CHAT | {"status": {"code": "CLOSED"}}, "field_type_changed"),
        (CHAT | {"alias": "x" * 601}, "text_too_long"),
        (CHAT | {"department": "x" * 601}, "text_too_long"),
        (CHAT | {"department": {"department_name": "x" * 601}}, "text_too_long"),
        (CHAT | {"priority": {"level": 1}}, "field_type_changed"),
        (CHAT | {"contact": {"id": 10**700}}, "text_too_long"),
        (CHAT | {"tags": [{"label": "x" * 601}]}, "text_too_long"),
    ],
)
def test_a_chat_that_breaks_a_rule_is_refused_by_its_name(value: Any, rule: str) -> None:
    assert rule_of(value) == rule


def test_null_messages_and_empty_optional_times_are_fine() -> None:
    assert isinstance(read(CHAT | {"messages": None, "closed_at": "", "opened_at": None}), Record)


def test_a_type_that_staging_reads_safely_is_no_reason_to_refuse_a_chat() -> None:
    odd = {
        "tags": "vip",
        "duration": 2400,
        "is_agent_available": "yes",
        "viewer_url": {},
        "provider": 7,
        "agent": "",
        "department": {"name": "Ventas", "code": 1},
        "contact": {"id": 7, "name": "x" * 5000},
        "new": [1],
    }
    assert isinstance(read(CHAT | odd), Record)


@pytest.mark.parametrize("department", [7, True, ["Ventas"], {"titulo": "Ventas"}, {"name": {"es": "Ventas"}}])
def test_a_department_of_no_known_form_costs_no_chat(department: Any) -> None:
    assert isinstance(read(CHAT | {"department": department}), Record)


def test_contacts_have_numbers_for_keys_and_tags_in_unix_seconds() -> None:
    contact = {"contact_id": 90000001, "created": "2020-11-09 19:10:23", "tags": [{"assigned_at": 1706644084}]}
    record = read(contact, "contacts")
    assert isinstance(record, Record)
    assert record.key == "90000001"
    assert rule_of(contact | {"tags": [{"assigned_at": 1706644084000}]}, "contacts") == "time_out_of_range"
    assert rule_of(contact | {"updated": "soon"}, "contacts") == "time_unreadable"
    assert rule_of(contact | {"email": ["a@example.test"]}, "contacts") == "field_type_changed"


def test_a_chat_with_unreadable_messages_lands_unchanged_and_each_of_them_is_reported() -> None:
    chat = CHAT | {
        "messages": [
            {"created_at": "2025-10-01 09:00:00"},
            "text",
            {"body": "x"},
            {"created_at": "gestern"},
            {"created_at": "2525-01-01 00:00:00"},
        ]
    }
    record = read(chat)
    assert isinstance(record, Record)
    assert json.loads(record.payload) == chat
    assert [(bad.entity_type, bad.key, bad.problem.rule) for bad in record.rejected_parts] == [
        ("message", "c1", "message_not_an_object"),
        ("message", "c1", "message_time_missing"),
        ("message", "c1", "message_time_unreadable"),
        ("message", "c1", "message_time_out_of_range"),
    ]


def test_a_problem_names_the_field_and_never_its_content() -> None:
    judged = read(CHAT | {"closed_at": "SECRETO"})
    assert isinstance(judged, Rejected)
    assert "closed_at" in judged.problem.detail
    assert "SECRETO" not in judged.problem.detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"<html></html>",
        b'{"chats":[',
        b'{"chats":[{"chat_id":"c',
        b'{"chats":[],"total":1',
        b'{"chats":[{},],"total":1}',
        b'{"chats":[]}',
        b'{"chats":{},"total":0}',
        b'{"total":0}',
        b'{"chats":[],"total":NaN}',
        b'{"chats":[],"total":"many"}',
        b'{"chats":[],"total":1} more',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_envelope_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        read_envelope(body, "chats")


def holds_a_float(value: Any) -> bool:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, float) or any(map(holds_a_float, members))


@pytest.mark.parametrize("number", [-(2**63) - 1, 2**64, 10**30, 0.1, 1e-5, 1e16])
def test_a_number_lands_as_it_came_however_large(number: float) -> None:
    chat = CHAT | {"odd": number, "messages": [{"created_at": "2025-10-01 09:00:00", "location": {"at": [number]}}]}
    [item] = read_envelope(json.dumps({"chats": [chat], "total": 1}).encode(), "chats").items
    record = read_record("chats", item)
    assert isinstance(record, Record)
    assert json.loads(record.payload) == chat


@given(st.lists(JSON, max_size=4), st.dictionaries(st.text(max_size=5), JSON, max_size=3))
@example([-(2**63) - 1, {"n": [2**64]}], {})
def test_an_envelope_reads_as_json_does_and_gives_each_record_its_own_bytes(
    records: list[Any], extra: dict[str, Any]
) -> None:
    extra = {name: value for name, value in extra.items() if name not in ("chats", "total")}
    body = json.dumps({**extra, "chats": records, "total": len(records)}, indent=1).encode()
    envelope = read_envelope(body, "chats")
    expected = json.loads(body)["chats"]
    assert [item.exact().value for item in envelope.items] == expected
    assert all(
        item.value == value
        for item, value in zip(envelope.items, expected, strict=True)
        if not holds_a_float(item.value)
    )
    assert [json.loads(item.data) for item in envelope.items] == expected
    assert envelope.total == len(records)


def test_a_text_that_is_far_too_long_is_cut_and_a_change_behind_the_cut_is_a_change() -> None:
    longest, longer = "x" * MAX_TEXT_LENGTH, "x" * MAX_TEXT_LENGTH + "end"
    of_longest, of_longer, changed = (
        read_record("chats", Item(0, "", {"chat_id": "a", "created_at": "2025-10-01 09:00:00", "viewer_url": text}))
        for text in (longest, longer, longer + "!")
    )
    assert isinstance(of_longest, Record)
    assert isinstance(of_longer, Record)
    assert isinstance(changed, Record)
    assert (of_longest.cleaned, of_longest.exact) == ([], None)
    assert of_longer.cleaned == [{"path": "viewer_url", "rule": "text_cut"}]
    assert json.loads(of_longer.payload)["viewer_url"] == longest + "…"
    assert json.loads(of_longer.exact or b"")["viewer_url"] == longer
    assert changed.payload == of_longer.payload
    assert changed.content_hash != of_longer.content_hash
