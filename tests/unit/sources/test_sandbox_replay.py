"""Replayed files: served as they are, with nothing invented."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from dagster_project.sources.b2chat.sandbox.replay import ReplayFileError, ReplaySource
from dagster_project.sources.b2chat.sandbox.source import ChatQuery, ContactQuery, Days

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def chat(chat_id: str, created_at: str, **other: Any) -> dict[str, Any]:
    return {"chat_id": chat_id, "created_at": created_at} | other


def test_conversations_of_a_file_come_back_all_and_untouched(conversations_file: Path) -> None:
    expected = {record["chat_id"]: record for record in json.loads(conversations_file.read_bytes())["chats"]}
    source = ReplaySource(conversations_file)
    pages = [source.chats(ChatQuery(limit=100, offset=offset, descending=False), NOW) for offset in range(0, 600, 100)]
    served = [record for page in pages for record in page.records]
    assert len(served) == len(expected) == pages[0].total >= 30
    assert {record["chat_id"]: record for record in served} == expected
    assert [record["created_at"] for record in served] == sorted(record["created_at"] for record in served)
    contacts = source.contacts(ContactQuery(), NOW)
    assert contacts.total == len({record["contact"]["id"] for record in expected.values()})


def test_a_contact_is_what_its_chats_show_of_it(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text(json.dumps([chat("a", "2025-05-01 23:30:00", contact={"id": 7, "name": "Old"})]))
    known = {"id": 7, "name": "New", "mobile_number": "+570000000007", "phone_number": "1", "email": "x@example.test"}
    second.write_text(json.dumps({"chats": [chat("b", "2025-05-03 08:00:00", contact=known)], "total": 1}))
    source = ReplaySource(second, first)
    [contact] = source.contacts(ContactQuery(), NOW).records
    assert contact == {
        "contact_id": 7,
        "fullname": "New",
        "identification": "",
        "email": "x@example.test",
        "landline": "1",
        "mobile": "+570000000007",
        "address": "",
        "country": "",
        "city": "",
        "company": "",
        "merchant_id": None,
        "created": "2025-05-01 23:30:00",
        "updated": "2025-05-03 08:00:00",
        "custom_attributes": None,
        "tags": None,
        "row_index": None,
    }
    may_first = Days(date(2025, 5, 1), date(2025, 5, 1))
    assert [record["chat_id"] for record in source.chats(ChatQuery(created=may_first), NOW).records] == ["a"]
    assert source.contacts(ContactQuery(updated=may_first), NOW).total == 0


@pytest.mark.parametrize(
    "content", ["{", '{"contacts": []}', "[1]", '[{"chat_id": "a"}]', '[{"chat_id": "", "created_at": "2025-01-01"}]']
)
def test_a_malformed_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "broken.json").write_text(content)
    with pytest.raises(ReplayFileError, match=r"broken\.json"):
        ReplaySource(tmp_path / "broken.json")
