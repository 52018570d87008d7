"""Fields that B2Chat never sent before are kept, catalogued and reported once; no sync stops for them."""

import logging
from datetime import date
from typing import Any

import psycopg
import pytest

from dagster_project.ingestion.sync import SyncResult
from dagster_project.sources.shapes import shapes_of
from tests.support.listed import ListedSource, chat, client_of, serving
from tests.support.syncing import sync_b2chat

TODAY = date(2025, 10, 10)


def test_each_field_has_its_path_and_its_json_types() -> None:
    records: list[dict[str, Any]] = [
        {"chat_id": "a", "messages": [{"body": "x", "location": {"lat": 4.5}}, {"body": None}, "odd"], "tags": []},
        {"chat_id": 7, "contact": {"custom_attributes": {"Cédula 1": "x", "plan": True}}, "+570000000001": [[1]]},
    ]
    assert {field for record in records for shape in shapes_of(record) for field in shape.fields} == {
        ("chat_id", "string"),
        ("chat_id", "number"),
        ("messages", "array"),
        ("messages[]", "object"),
        ("messages[]", "string"),
        ("messages[].body", "string"),
        ("messages[].body", "null"),
        ("messages[].location", "object"),
        ("messages[].location.lat", "number"),
        ("tags", "array"),
        ("contact", "object"),
        ("contact.custom_attributes", "object"),
        ("contact.custom_attributes.*", "string"),
        ("contact.custom_attributes.*", "boolean"),
        ("*", "array"),
        ("*[]", "array"),
        ("*[][]", "number"),
    }


def test_a_new_field_is_reported_once_after_the_first_sync_and_kept(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = ListedSource([chat("a", "2025-10-09")])

    def read() -> SyncResult:
        caplog.clear()
        with caplog.at_level(logging.WARNING), serving(source) as sandbox, client_of(sandbox) as client:
            return sync_b2chat(database_url, client, entity="chats", start_date=TODAY, today=TODAY, triggered_by="test")

    def change(**fields: Any) -> None:
        source.records["chats"][0] |= fields

    source.records["chats"] = [chat("a", str(TODAY))]
    assert read().counts.new_fields == 0
    assert "never seen" not in caplog.text
    change(sentiment={"score": 0.5}, alias=None)
    assert read().counts.new_fields == 3
    assert "chats: fields never seen before: alias null, sentiment object, sentiment.score number" in caplog.text
    change(status="OPENED", closed_at=None)
    assert read().counts.new_fields == 0  # that a known field is null is no news
    change(sentiment="good", created_at=f"{TODAY} 09:00:01")
    assert read().counts.new_fields == 1
    assert "sentiment string" in caplog.text
    change(agent=["ana"])
    assert (read().counts.quarantined, "field_type_changed") == (1, _rule(database_url))
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select payload -> 'sentiment' from raw.b2chat_chats").fetchall() == [("good",)]
        assert conn.execute(
            "select array_agg(metadata -> 'new_fields' order by started_at) from ops.sync_logs"
        ).fetchall() == [([0, 3, 0, 1, 0],)]


def _rule(url: str) -> str:
    with psycopg.connect(url) as conn:
        [[rule]] = conn.execute("select rule from raw.quarantine").fetchall()
    return str(rule)
