"""Episodes: each trouble is written down once, and is over when it is over."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from dagster_project.alerts import episodes
from dagster_project.alerts.episodes import Changes
from dagster_project.alerts.troubles import Look, Trouble, look
from dagster_project.settings import Settings
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


def quarantine(conn: psycopg.Connection, number: int) -> None:
    conn.execute(
        "insert into raw.quarantine (source, entity_type, rule, detail, payload_bytes, content_hash, load_id, "
        "page_offset, position, quarantined_at) values ('b2chat', 'chats', 'key_missing', '', '', %s, 1, 0, 0, now())",
        [str(number)],
    )


def watch(conn: psycopg.Connection, **settings: object) -> Changes:
    return episodes.record(conn, look(conn, Settings.load(freshness_minutes=120, **settings), SOURCES))


def unread(conn: psycopg.Connection) -> list[str]:
    return [one["title"] for one in episodes.unread(conn)]


def test_one_failure_is_no_news_two_in_a_row_are_written_once_and_a_success_ends_it(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        log(conn, "chats", "success", 40)
        log(conn, "chats", "error", 30)
        assert watch(conn) == Changes()
        log(conn, "chats", "error", 15)
        title = "Sync of b2chat chats failed twice in a row"
        assert watch(conn) == Changes((title,))
        (news,) = episodes.unread(conn)
        assert (news["type"], news["message"]) == ("error", "out of reach")
        assert watch(conn) == Changes()
        assert unread(conn) == [title]
        log(conn, "chats", "success", 5)
        assert watch(conn) == Changes((), (title,))
        assert unread(conn) == []
        (past,) = episodes.listed(conn, past=True)
        assert (past.kind, past.subject) == ("sync_failing", "b2chat/chats") and past.recovered_at


def test_lost_freshness_is_written_once_for_each_entity(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        log(conn, "chats", "success", 150)
        log(conn, "contacts", "success", 90)
        (title,) = watch(conn).opened
        assert title.startswith("No fresh b2chat chats")
        assert watch(conn) == Changes()


def test_a_growing_quarantine_is_to_be_looked_at_again_a_standing_one_is_not(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        quarantine(conn, 1)
        assert len(watch(conn).opened) == 1
        (one,) = episodes.listed(conn, past=False)
        assert episodes.acknowledge(conn, one.id[:8])
        assert watch(conn) == Changes() and unread(conn) == []
        quarantine(conn, 2)
        assert watch(conn) == Changes()
        assert unread(conn) == ["2 records of b2chat chats in quarantine"]


def test_what_flaps_is_one_episode_that_ends_when_it_has_kept_away(database_url: str) -> None:
    trouble = Look(
        [Trouble("run_failed", "refresh_all", "error", "Run of refresh_all failed")], frozenset({"run_failed"})
    )
    over, other = Look([], frozenset({"run_failed"})), Look([], frozenset({"ai_budget"}))
    with psycopg.connect(database_url, autocommit=True) as conn:
        assert episodes.record(conn, trouble).opened
        assert episodes.record(conn, other) == Changes(), "a look at something else ends nothing"
        assert episodes.record(conn, over).recovered
        assert episodes.record(conn, trouble).opened
        assert episodes.record(conn, over) == Changes()
        conn.execute("update ops.notifications set last_seen_at = last_seen_at - interval '61 minutes'")
        assert episodes.record(conn, over).recovered
        assert conn.execute("select count(*), max(times_opened) from ops.notifications").fetchone() == (1, 2)


@pytest.mark.parametrize(
    ("spent", "deferred", "severity"), [(7.9, 0, None), (8, 0, "warning"), (10, 0, "error"), (1, 2, "error")]
)
def test_a_budget_that_is_being_spent_is_a_warning_one_that_refuses_an_error(
    database_url: str, spent: float, deferred: int, severity: str | None
) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            "insert into ops.ai_usage_ledger (day, status, cost_usd, reserved_usd, endpoint, model_vendor, model, "
            "run_id, is_batch, cache_key, price_version) values ((now() at time zone 'UTC')::date, 'settled', %s, 0, "
            "'api.anthropic.com', 'anthropic', 'm', 'r', false, 'k', 'p')",
            [spent],
        )
        for number in range(deferred):
            conn.execute(
                "insert into analysis.classification_queue (chat_id, classifier, version, state, load_id, "
                "processed_at) values (%s, 'claude', 'v', 'budget_deferred', 1, now())",
                [str(number)],
            )
        found = look(conn, Settings.load(ai_monthly_usd=10, anthropic_api_key="key"), SOURCES).troubles
        assert [trouble.severity for trouble in found] == ([severity] if severity else [])
        assert not look(conn, Settings.load(ai_monthly_usd=10), SOURCES).troubles, "no key, no budget"
