"""What lands of a page, in a real Postgres: versions, quarantine, and nothing at all for what has not changed."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from dagster_project.ingestion.records.landing import PageResult
from dagster_project.ingestion.records.raw_tables import text_array
from dagster_project.sources.b2chat.records import Entity
from dagster_project.warehouse.connection import connect
from tests.support.landing import DAY, land
from tests.support.listed import chat, contact


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url, autocommit=True) as connection:
        yield connection


def counts(result: PageResult) -> tuple[int, ...]:
    return (result.new, result.changed, result.unchanged, result.quarantined, result.duplicates)


def rows(conn: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return conn.execute(query).fetchall()


@pytest.mark.parametrize(
    ("entity", "make", "key"),
    [("chats", lambda **f: chat("7", **f), "chat_id"), ("contacts", lambda **f: contact(7, **f), "contact_id")],
)
def test_a_changed_record_is_version_2_and_the_first_is_kept(
    conn: psycopg.Connection, entity: Entity, make: Any, key: str
) -> None:
    first = land(conn, make(status="OPENED"), entity=entity)
    second = land(conn, make(status="CLOSED"), entity=entity)
    third = land(conn, make(status="OPENED"), entity=entity)
    assert [counts(result) for result in (first, second, third)] == [(1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (0, 1, 0, 0, 0)]
    assert rows(
        conn, f"select {key}, payload->>'status', version, load_id, first_load_id from raw.b2chat_{entity}"
    ) == [("7", "OPENED", 3, third.load_id, first.load_id)]
    assert rows(
        conn,
        f"select {key}, payload->>'status', version, load_id, superseded_by_load_id "
        f"from raw.b2chat_{entity[:-1]}_versions order by version",
    ) == [("7", "OPENED", 1, first.load_id, second.load_id), ("7", "CLOSED", 2, second.load_id, third.load_id)]


def test_landing_the_same_page_again_touches_no_row_of_raw(conn: psycopg.Connection) -> None:
    records = [chat("a"), chat("b", messages=["bad"]), {"chat_id": ""}]
    everything = """
        select 'chats', ctid::text, xmin::text, xmax::text from raw.b2chat_chats
        union all select 'quarantine', ctid::text, xmin::text, xmax::text from raw.quarantine order by 1, 2
    """
    land(conn, *records)
    before = rows(conn, everything)
    again = land(conn, *reversed(records))
    assert counts(again) == (0, 0, 2, 1, 0)
    assert len(before) == 4
    assert rows(conn, everything) == before


def test_the_page_load_says_what_became_of_the_page(conn: psycopg.Connection) -> None:
    land(conn, chat("a"), chat("b"))
    result = land(conn, chat("a"), chat("b", status="OPENED"), chat("c"), chat("c"), [])
    assert counts(result) == (1, 1, 1, 1, 1)
    assert rows(
        conn,
        f"""
        select sync_id, entity_type, window_from, window_to, page_offset, record_count, exported, total, new_count,
               changed_count, unchanged_count, quarantined_count, response_bytes, request_ms
        from ops.page_loads where load_id = {result.load_id}
    """,
    ) == [("sync-1", "chats", DAY, DAY, 0, 5, 5, 5, 1, 1, 1, 1, 512, 7)]


def test_text_that_postgres_cannot_hold_lands_cleaned_with_its_exact_bytes(conn: psycopg.Connection) -> None:
    text = r'{"chat_id":"c1","created_at":"2025-10-01 09:00:00","alias":"a\u0000\ud800 😀","\u0000":1}'
    assert land(conn, text).new == 1
    [(alias, exact, cleaned)] = rows(conn, "select payload->>'alias', payload_bytes, cleaned from raw.b2chat_chats")
    assert alias == "a\ufffd\ufffd 😀"
    assert bytes(exact) == text.encode()
    assert cleaned == [
        {"path": "alias", "rule": "nul_replaced"},
        {"path": "alias", "rule": "lone_surrogate_replaced"},
        {"path": "\ufffd", "rule": "name_replaced"},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "'; drop table raw.b2chat_chats; --",
        "\\N",
        "\\.",
        "tab\there\nand \\ there",
        "\u202e\u200d\u0001\x7f\u2028",
        "x" * 100_000,
    ],
)
def test_no_text_breaks_the_copy(conn: psycopg.Connection, text: str) -> None:
    assert land(conn, chat("a", note=text), chat(text[:50])).new == 2
    assert rows(conn, "select payload->>'note' from raw.b2chat_chats where chat_id = 'a'") == [(text,)]


def test_bad_records_go_to_quarantine_once_and_the_rest_of_the_page_lands(conn: psycopg.Connection) -> None:
    broken = [chat("a", created_at="soon"), 17, {"chat_id": ""}]
    first = land(conn, chat("good"), *broken)
    land(conn, chat("good"), *broken)
    assert (first.new, first.quarantined) == (1, 3)
    assert rows(
        conn,
        """
        select entity_type, record_key, rule, load_id, window_from, page_offset, position, resolved_at
        from raw.quarantine order by position
    """,
    ) == [
        ("chats", "a", "time_unreadable", first.load_id, DAY, 0, 1, None),
        ("chats", None, "not_an_object", first.load_id, DAY, 0, 2, None),
        ("chats", None, "key_missing", first.load_id, DAY, 0, 3, None),
    ]
    [(exact,)] = rows(conn, "select payload_bytes from raw.quarantine where record_key = 'a'")
    assert json.loads(bytes(exact)) == broken[0]


def test_a_chat_with_a_bad_message_lands_whole_and_the_message_is_counted(conn: psycopg.Connection) -> None:
    given = chat("a", messages=[{"created_at": "2025-10-01 09:00:00", "body": "hi"}, {"body": "no time"}])
    twin = given | {"chat_id": "b"}
    result = land(conn, given, twin)
    assert (result.new, result.quarantined, result.rejected_parts) == (2, 0, 2)
    assert rows(conn, "select payload from raw.b2chat_chats where chat_id = 'a'") == [(given,)]
    assert rows(conn, "select entity_type, record_key, rule from raw.quarantine order by 2") == [
        ("message", "a", "message_time_missing"),
        ("message", "b", "message_time_missing"),
    ]


def test_a_fault_is_resolved_when_the_record_comes_sound_and_open_again_when_it_returns(
    conn: psycopg.Connection,
) -> None:
    broken, sound = chat("a", messages=["bad"]), chat("a")
    unresolved = "select rule from raw.quarantine where resolved_at is null"
    land(conn, broken)
    land(conn, chat("b"))
    assert rows(conn, unresolved) == [("message_not_an_object",)]
    land(conn, sound)
    assert rows(conn, unresolved) == []
    land(conn, broken)
    assert rows(conn, unresolved) == [("message_not_an_object",)]
    land(conn, chat("a", closed_at="soon"))
    assert rows(conn, unresolved) == [("time_unreadable",)]


def test_a_page_that_fails_leaves_nothing_behind(conn: psycopg.Connection) -> None:
    conn.execute("create function raw.refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$")
    conn.execute("create trigger refuse before insert on raw.quarantine execute function raw.refuse()")
    with pytest.raises(psycopg.Error):
        land(conn, chat("a"), "17")
    assert rows(conn, "select (select count(*) from raw.b2chat_chats), (select count(*) from ops.page_loads)") == [
        (0, 0)
    ]


def test_two_pages_in_one_transaction_do_not_mix(conn: psycopg.Connection) -> None:
    with conn.transaction():
        first, second = land(conn, chat("a")), land(conn, chat("b"))
    assert rows(conn, "select chat_id, load_id from raw.b2chat_chats order by 1") == [
        ("a", first.load_id),
        ("b", second.load_id),
    ]


def test_keys_of_any_characters_arrive_as_they_are(database_url: str) -> None:
    for keys in ([], [""], ["a", "", 'b"', "c\\", "{d,e}", "null", " f\n", "ñ😊", '\\",\\"']):
        with psycopg.connect(database_url) as conn:
            assert conn.execute("select %s::text[]", [text_array(keys)]).fetchone() == (keys,)
