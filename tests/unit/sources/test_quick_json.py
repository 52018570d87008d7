"""The quick ways through JSON give what the plain ones give, to the byte: a hash that changes is a changed record."""

import hashlib
import json
import random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dagster_project.sources.b2chat.answers import UnreadableAnswer, read_envelope
from dagster_project.sources.b2chat.records import read_record
from dagster_project.sources.b2chat.windows import ExportPage
from dagster_project.sources.cleaning import clean
from dagster_project.sources.contract import Record, Rejected

TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(
    [
        "a\x00b",
        "\ud800",
        "\udc00\ud83d",
        "\U0001f600x",
        "\\u0000",
        '"\\/\b\f\n\r\t',
        "\x1f\x7f\x80\u2028",
        "\uffff\U00010000",
    ]
)
NUMBERS = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from(
        [
            2**63 - 1,
            2**63,
            2**64 - 1,
            2**64,
            -(2**63),
            -(2**63) - 1,
            1e16,
            1e15,
            1e-4,
            1e-5,
            5e-324,
            -0.0,
            1e22,
            123456789012345680.0,
            0.1,
            100.0,
            10**25,
        ]
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
RAW = st.sampled_from(
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-0",
        "-0.0",
        "1E5",
        "1e-7",
        "9" * 19,
        "9" * 20,
        "9" * 5000,
        "1.0",
        '"\\ud800"',
        '"\\ud83d\\ude00"',
        '"\\u00e9"',
        '"\x00"',
        '"\x01"',
        '"\\u0000"',
        '"\udcff"',
        '{"a":1,"b":2,"a":3}',
        '{"a":1.5,"a":3}',
        "[" * 90 + "]" * 90,
        "[" * 101 + "]" * 101,
        "[" * 500 + "1e16" + "]" * 500,
        "[" * 1500 + "]" * 1500,
        "01",
        "tru",
        "'x'",
        '{"a":1,}',
        '"a\nb"',
        "[1,2.5,[9007199254740993.0]]",
        '{"x":{"y":[{"z":12345678901234567890123}]}}',
    ]
)


def plainly(value: dict[str, Any]) -> tuple[str, str]:
    """Payload and hash of a record, by what the standard library says, as before there was any quick way."""

    def text(one: Any) -> str:
        return json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    cleaned, _ = clean(value)
    return text(cleaned), hashlib.sha256(text(cleaned).encode()).hexdigest()


def answer(members: str) -> bytes:
    record = f'{{"chat_id":"c1","created_at":"2025-10-01 09:00:00",{members}}}'
    return f'{{"total":1,"chats":[{record}]}}'.encode("utf-8", "surrogateescape")


@given(st.dictionaries(TEXT, JSON, max_size=5), st.booleans(), st.booleans())
@example({"x": {"a": [1e16, 1e-5]}}, False, False)
@example({"é": 1, "z": 2, "\U00010000": 3, "\uffff": 4}, False, False)
@example({"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": 1e-5}}}}}}}}}}, True, False)
def test_payload_and_hash_are_those_of_the_standard_library(
    value: dict[str, Any], escaped: bool, indented: bool
) -> None:
    record = {"n": value, "chat_id": "c1", "created_at": "2025-10-01 09:00:00"}
    text = json.dumps(record, ensure_ascii=escaped, indent=2 if indented else None)
    body = f'{{"chats":[{text}],"total":1}}'.encode("utf-8", "surrogatepass")
    record_read = read_record("chats", read_envelope(body, "chats").items[0])
    assert isinstance(record_read, Record)
    expected = plainly(json.loads(body.decode("utf-8", "surrogateescape"))["chats"][0])
    assert (record_read.payload, record_read.content_hash) == expected


def test_a_contacts_row_number_is_left_out_of_its_hash_by_the_quick_way_too() -> None:
    body = b'{"contacts":[{"row_index":5,"contact_id":7}],"total":1}'
    contact = read_record("contacts", read_envelope(body, "contacts").items[0])
    assert isinstance(contact, Record)
    assert contact.payload == '{"contact_id":7,"row_index":5}'
    assert contact.content_hash == hashlib.sha256(b'{"contact_id":7}').hexdigest()


@given(st.lists(RAW, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_an_answer_reads_the_same_whether_or_not_the_quick_way_is_open(raw: list[str], chance: random.Random) -> None:
    members = ",".join(f'"{"xyz"[n]}":{text}' for n, text in enumerate(raw))
    quick = answer(members)
    # A byte order mark is nothing that the quick way takes.
    plain = b"\xef\xbb\xbf" + quick
    assert judged(quick) == judged(plain)


def judged(body: bytes) -> Any:
    try:
        envelope = read_envelope(body, "chats")
    except UnreadableAnswer:
        return "unreadable"
    page = ExportPage(envelope.items, None, envelope.total, 0, 10, 1, 1)
    read = [read_record("chats", item) for item in envelope.items]
    return page.keys_digest("chats"), [
        (one.payload, one.content_hash, one.exact, one.cleaned)
        if isinstance(one, Record)
        else (one.key, one.problem, one.data, one.content_hash)
        for one in read
    ]


@pytest.mark.parametrize("key", ["123456789012345678901234", "1.0", "1e3", "true", "null", '"\\u00e9"', "[1.50]", "-0"])
def test_a_key_is_the_same_for_the_page_digest_and_the_record_however_it_was_read(key: str) -> None:
    body = f'{{"chats":[{{"chat_id":{key},"created_at":"2025-10-01 09:00:00"}}, {key}],"total":2}}'.encode()
    assert judged(body) == judged(b"\xef\xbb\xbf" + body)


@pytest.mark.parametrize("total", ["1.0", "123456789012345678901234567890", "-1", "1e0", '"1"', "null", "[]"])
def test_a_total_counts_the_same_however_the_answer_was_read(total: str) -> None:
    body = f'{{"chats":[],"total":{total},"exported":{total}}}'.encode()

    def read(data: bytes) -> Any:
        try:
            return read_envelope(data, "chats")
        except UnreadableAnswer as error:
            return str(error)

    assert read(body) == read(b"\xef\xbb\xbf" + body)


@pytest.mark.parametrize(
    "times",
    [
        ["2025-10-01 09:00:00", "2025-10-01 09:00:00\n2025-10-01 09:00:00", ""],
        ["2025-02-29 09:00:00"],
        ["2025-10-01 09:00:00", "2101-01-01 00:00:00"],
        ["2025-10-01 09:00:00", None],
        ["2025-10-01 24:00:00"],
        ["２025-10-01 09:00:00"],
        ["2025-10-01 09:00:00", 7],
        ["2025-10-01 09:00:00", ["x"]],
    ],
)
def test_a_message_with_a_bad_time_is_found_among_sound_ones(times: list[Any]) -> None:
    messages = [{"created_at": time} for time in times]
    record = read_record("chats", read_envelope(answer(f'"messages":{json.dumps(messages)}'), "chats").items[0])
    assert isinstance(record, Record)
    assert record.rejected_parts != []


def test_a_number_too_large_for_orjson_is_kept_to_the_last_digit() -> None:
    record = read_record("chats", read_envelope(answer('"x":[123456789012345678901234567890]'), "chats").items[0])
    assert not isinstance(record, Rejected)
    assert '"x":[123456789012345678901234567890]' in record.payload
