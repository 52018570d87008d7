"""Notifications: each trouble is written down once, and is over when it is over."""

from datetime import UTC, datetime, timedelta

import psycopg

from dagster_project.ingestion.watch import watch
from dagster_project.sources.catalog import SOURCES

NOW = datetime.now(UTC)


def log(conn: psycopg.Connection, entity: str, status: str, minutes_ago: int) -> None:
    at = NOW - timedelta(minutes=minutes_ago)
    conn.execute(
        "insert into ops.sync_logs (user_id, source, entity_type, operation, record_count, status, started_at, "
        "error_message) values ('test', 'b2chat', %s, 'incremental', 0, %s, %s, %s)",
        [entity, status, at, "out of reach" * (status == "error")],
    )
    if status == "success":
        conn.execute(
            "insert into ops.sync_states (source, entity_type, sync_status, last_sync_timestamp) "
            "values ('b2chat', %s, 'idle', %s) on conflict (source, entity_type) do update "
            "set last_sync_timestamp = excluded.last_sync_timestamp",
            [entity, at],
        )


def unread(conn: psycopg.Connection) -> list[str]:
    return [row[0] for row in conn.execute("select title from ops.notifications where not is_read order by title")]


def test_one_failure_is_no_news_two_in_a_row_are_written_once_and_a_success_ends_it(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        log(conn, "chats", "success", 40)
        log(conn, "chats", "error", 30)
        assert watch(conn, SOURCES, freshness_minutes=120) == []
        log(conn, "chats", "error", 15)
        (alarm,) = watch(conn, SOURCES, freshness_minutes=120)
        assert (alarm.type, alarm.message) == ("error", "out of reach")
        assert watch(conn, SOURCES, freshness_minutes=120) == []
        assert unread(conn) == ["Sync of b2chat chats failed twice in a row"]
        log(conn, "chats", "success", 5)
        assert watch(conn, SOURCES, freshness_minutes=120) == []
        assert unread(conn) == []


def test_lost_freshness_is_written_once_for_each_entity(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        log(conn, "chats", "success", 150)
        log(conn, "contacts", "success", 90)
        assert [alarm.title for alarm in watch(conn, SOURCES, freshness_minutes=120)] == ["No fresh b2chat chats"]
        assert watch(conn, SOURCES, freshness_minutes=120) == []


def test_a_growing_quarantine_is_written_again_a_standing_one_is_not(database_url: str) -> None:
    def quarantine(number: int) -> None:
        conn.execute(
            "insert into raw.quarantine (source, entity_type, rule, detail, payload_bytes, content_hash, load_id, "
            "page_offset, position, quarantined_at) values ('b2chat', 'chats', 'key_missing', '', '', %s, 1, 0, 0, "
            "now())",
            [str(number)],
        )

    with psycopg.connect(database_url, autocommit=True) as conn:
        quarantine(1)
        assert len(watch(conn, SOURCES, freshness_minutes=120)) == 1
        assert watch(conn, SOURCES, freshness_minutes=120) == []
        quarantine(2)
        (alarm,) = watch(conn, SOURCES, freshness_minutes=120)
        assert alarm.title.startswith("2 records of b2chat chats")
        assert unread(conn) == ["2 records of b2chat chats in quarantine"]
