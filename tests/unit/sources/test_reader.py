"""The process that reads answers says what reading them here says, and nothing is lost with it."""

import json
from collections.abc import Iterator

import pytest

from dagster_project.sources.b2chat import reader
from dagster_project.sources.b2chat.answers import read_envelope
from dagster_project.sources.b2chat.reader import FIRST_ANSWERS, MAX_BYTES, MIN_BYTES, AnswerReader, ReadAnswer
from dagster_project.sources.b2chat.records import read_record
from dagster_project.sources.b2chat.windows import ExportPage
from dagster_project.sources.contract import Rejected

SOUND = {"chat_id": "a", "created_at": "2025-10-01 09:00:00", "messages": [{"created_at": "2025-10-01 09:00:00"}]}
HOSTILE = [
    SOUND | {"chat_id": "b", "alias": "a\x00b \ud800 ñ"},
    SOUND | {"chat_id": "c", "messages": [{"created_at": "never"}]},
    SOUND | {"chat_id": None},
    SOUND | {"chat_id": "d", "x": 1e16},
    SOUND | {"chat_id": "e", "created_at": "yesterday"},
    ["no object"],
]


def answer(*records: object) -> bytes:
    """An answer that is large enough to be sent away."""
    return json.dumps({"chats": [*records, SOUND | {"chat_id": "z", "filler": "x" * MIN_BYTES}], "total": 9}).encode()


@pytest.fixture
def warm() -> Iterator[AnswerReader]:
    """A reader that has seen as many answers as it takes."""
    one = AnswerReader()
    one._is_useful = True  # on a machine with one core, too
    assert [one.read(answer(), "chats") for _ in range(FIRST_ANSWERS)] == [None] * FIRST_ANSWERS
    yield one
    one.close()


def here(body: bytes) -> ReadAnswer:
    envelope = read_envelope(body, "chats")
    page = ExportPage(envelope.items, None, envelope.total, 0, 1000, len(body), 1)
    return ReadAnswer(
        [read_record("chats", item) for item in envelope.items], None, envelope.total, page.keys_digest("chats")
    )


def without_shapes(read: ReadAnswer | None) -> object:
    """All but the identities of shapes, which are equal only to themselves."""
    assert read is not None
    told = [
        one
        if isinstance(one, Rejected)
        else (
            one.key,
            one.payload,
            one.content_hash,
            one.exact,
            one.cleaned,
            one.rejected_parts,
            one.columns,
            {field for shape in one.shapes for field in shape.fields},
        )
        for one in read.records
    ]
    return told, read.exported, read.total, read.keys_digest


def test_another_process_reads_sound_and_hostile_records_to_the_byte_as_this_one(warm: AnswerReader) -> None:
    body = answer(SOUND, *HOSTILE)
    assert without_shapes(warm.read(body, "chats")) == without_shapes(here(body))
    assert warm.read(b"[" * MIN_BYTES, "chats") is None  # the caller finds out what is wrong with it
    assert without_shapes(warm.read(body, "chats")) == without_shapes(here(body))


def test_a_reader_that_is_killed_leaves_the_reading_to_the_caller(warm: AnswerReader) -> None:
    assert warm.read(answer(SOUND), "chats") is not None
    assert warm._process
    warm._process.kill()
    assert [warm.read(answer(SOUND), "chats") for _ in range(2)] == [None, None]
    assert warm._process is None


def test_it_ends_with_its_input_as_when_who_started_it_is_killed(warm: AnswerReader) -> None:
    assert warm.read(answer(SOUND), "chats") is not None
    process = warm._process
    assert process
    assert process.stdin
    process.stdin.close()
    assert process.wait(20) == 0


def test_small_and_very_large_answers_are_not_sent_away(warm: AnswerReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader.AnswerReader, "_ask", lambda *_: pytest.fail("it was sent away"))
    assert warm.read(b"{}", "chats") is None
    assert warm.read(b" " * (MAX_BYTES + 1), "chats") is None
