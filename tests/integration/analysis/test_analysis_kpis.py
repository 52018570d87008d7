"""The KPIs of an analysis against numbers worked out here, on a few chats written by hand."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.support import forked_dbt

BEGAN = datetime(2026, 1, 5, 3, tzinfo=UTC)  # Sunday, 22:00 in Bogotá
# agent, department, channel, seconds to the first response, intent, stage, mood, score of the agent
CHATS: dict[str, tuple[Any, ...]] = {
    "c1": ("ana", "sales", "whatsapp", 60, "LEGAL", "ACTIVE_BUYER", "NEUTRAL", 7),
    "c2": ("ana", "sales", "whatsapp", 600, "PAYMENT", "ACTIVE_BUYER", "FRICTION", 2),
    "c3": ("ana", None, "telegram", None, "PAYMENT", None, "NEUTRAL", None),
    "c4": ("bea", "sales", "whatsapp", 90, "OTHER", None, "POSITIVE", 9),
    "c5": (None, "sales", "whatsapp", None, None, None, None, None),
    "c6": ("bea", None, "livechat", 12.0, None, None, None, None),
}
SKIPPED = {"c5": "still going on", "c6": "nothing of the customer's"}
MESSAGES = [
    (chat, kind, BEGAN + timedelta(hours=hours))
    for chat, kind, hours in (
        ("c1", "text", 0),
        ("c1", "voice", 1.9),
        ("c1", "text", 2),
        ("c2", "image", 2.5),
        ("c2", "text", 26),
        ("c4", "text", 50),
    )
]


@pytest.fixture(scope="module")
def conn(new_database: Callable[[], str]) -> Iterator[psycopg.Connection[Any]]:
    url = new_database()
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as conn:
        _fill(conn)
        _build(url)
        yield conn


def test_the_kpis_are_those_worked_out_by_hand(conn: psycopg.Connection[Any]) -> None:
    rows = _kpis(conn)
    for scope, who in (("all", None), ("agent", "ana"), ("agent", "bea"), ("department", "sales")):
        place = {"all": None, "agent": 0, "department": 1}[scope]
        chats = {chat: values for chat, values in CHATS.items() if place is None or values[place] == who}
        times = sorted(values[3] for values in chats.values() if values[3] is not None)
        labelled = [values for chat, values in chats.items() if chat not in SKIPPED]
        scores = [values[7] for values in labelled if values[7] is not None]

        def value(name: str, member: str | None = None, scope: str = scope, who: str | None = who) -> Any:
            found = rows[name, member, scope, who]
            return found["numeric_value"], found["count"]

        assert value("total_chats") == (len(chats), len(chats))
        assert value("categorized_chats") == (len(labelled), len(labelled))
        assert value("first_response_average") == (pytest.approx(1000 * statistics.mean(times)), len(times))
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
            assert value(f"first_response_{name}") == (pytest.approx(1000 * _percentile(times, share)), len(times))
        assert value("pickup_average") == (None, 0), "nothing to count is no value, not 0"
        assert value("agent_quality_average") == (pytest.approx(statistics.mean(scores)), len(scores))
        for name, position in (("intent", 4), ("journey", 5), ("sentiment", 6)):
            counts = Counter(values[position] for values in labelled if values[position])
            distribution = rows[f"{name}_distribution", None, scope, who]
            assert distribution["count"] == counts.total()
            if not counts:
                assert distribution["json_value"] is None
                continue
            assert math.isclose(sum(distribution["json_value"].values()), 1)
            for label, count in counts.items():
                assert value(f"{name}_share", label) == (pytest.approx(count / counts.total()), count)
                assert distribution["json_value"][label] == pytest.approx(count / counts.total())
        channels = Counter(values[2] for values in chats.values())
        assert rows["channel_distribution", None, scope, who]["json_value"] == {
            channel: pytest.approx(count / len(chats)) for channel, count in channels.items()
        }


def test_messages_count_in_the_accounts_hours_and_reasons_are_named(conn: psycopg.Connection[Any]) -> None:
    rows = _kpis(conn)
    by_hour = rows["messages_by_hour", None, "all", None]["json_value"]
    assert set(by_hour) == set(map(str, range(24)))
    assert {hour: count for hour, count in by_hour.items() if count} == {"22": 1, "23": 1, "0": 4}
    assert rows["messages_by_day", None, "all", None]["json_value"] == {
        "0": 2,
        "1": 2,
        "2": 1,
        "3": 1,
        "4": 0,
        "5": 0,
        "6": 0,
    }
    assert rows["content_distribution", None, "all", None]["json_value"] == {
        "text": pytest.approx(4 / 6),
        "voice": pytest.approx(1 / 6),
        "image": pytest.approx(1 / 6),
        "video": 0,
        "file": 0,
        "other": 0,
    }
    assert {key[1]: row["numeric_value"] for key, row in rows.items() if key[0] == "skipped_chats_because"} == {
        "still going on": 1,
        "nothing of the customer's": 1,
    }
    assert rows["sla_pickup_rate", None, "all", None]["numeric_value"] == 0.75
    assert rows["concurrent_chats_peak", None, "agent", "ana"]["numeric_value"] == 3
    assert rows["concurrent_chats_average", None, "agent", "ana"]["numeric_value"] == pytest.approx(500 / 300)
    assert rows["concurrent_chats_peak", None, "agent", "bea"]["numeric_value"] is None


def test_what_a_classifier_said_names_it_and_nothing_else_does(conn: psycopg.Connection[Any]) -> None:
    assert conn.execute("""
        select distinct category, classified_by, is_llm from analysis.analysis_kpis order by 1
    """).fetchall() == [
        {"category": "customer_analysis", "classified_by": "rules-v1+1", "is_llm": False},
        {"category": "operational", "classified_by": None, "is_llm": None},
        {"category": "performance", "classified_by": None, "is_llm": None},
        {"category": "sla", "classified_by": None, "is_llm": None},
    ]


def test_a_second_build_computes_only_what_is_new_and_a_deleted_analysis_takes_its_kpis(
    conn: psycopg.Connection[Any],
) -> None:
    before = conn.execute("select id, xmin from analysis.analysis_kpis order by id").fetchall()
    # As after a sync: a build that has seen no load yet reads everything again.
    conn.execute("update ops.build_watermarks set load_id = 1 where model = 'analysis_kpis'")
    conn.execute("""
        insert into analysis.customer_analyses (
            id, triggered_by, filters, sample_rate, classifier, is_llm, published_at)
        select 'second', triggered_by, filters, 1, classifier, is_llm, now()
        from analysis.customer_analyses where id = 'first'""")
    conn.execute("insert into analysis.analysis_chats values ('second', 'c1', 'pending', 'submitted')")
    _build(conn.info.dsn + f" password={conn.info.password}")
    assert (
        conn.execute("select id, xmin from analysis.analysis_kpis where analysis_id = 'first' order by id").fetchall()
        == before
    )
    assert conn.execute("""
        select numeric_value, string_value from analysis.analysis_kpis
        where analysis_id = 'second' and metric_name like 'pending%' and scope = 'all' order by 2
    """).fetchall() == [{"numeric_value": 1, "string_value": "submitted"}, {"numeric_value": 1, "string_value": None}]
    conn.execute("delete from analysis.customer_analyses where id = 'second'")
    assert conn.execute("select id, xmin from analysis.analysis_kpis order by id").fetchall() == before


def _kpis(conn: psycopg.Connection[Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = conn.execute("select * from analysis.analysis_kpis where analysis_id = 'first'").fetchall()
    found = {
        (row["metric_name"], row["string_value"], row["scope"], row["agent_id"] or row["department_id"]): row
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def _percentile(ordered: list[float], share: float) -> float:
    """Linear between the two values around the place, as spreadsheets do it."""
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def _build(url: str) -> None:
    done = forked_dbt.run(url, "run", "--select", "path:models/rollups/customer_analyses")
    assert done.returncode == 0, done.stdout


def _fill(conn: psycopg.Connection[Any]) -> None:
    conn.execute("""
        create schema marts; create schema if not exists intermediate;
        create table marts.chat_response_times (
            chat_id text, agent_id text, department_id text, channel text, pickup_seconds integer,
            first_response_seconds double precision, response_seconds integer, resolution_seconds integer,
            handling_seconds integer, incoming_message_count integer, outgoing_message_count integer,
            created_local_hour integer, created_day_of_week integer, is_deleted boolean, pickup_agent_id text,
            first_response_agent_id text, source text default 'b2chat');
        create table intermediate.int_messages (chat_id text, content_type text, sent_at timestamptz);
        create table marts.sla_chats (
            chat_id text, metric text, wall_state text, business_state text, agent_id text);
        create table intermediate.int_agent_days (
            agent_id text, local_date date, active_chat_seconds bigint, active_seconds integer,
            peak_chat_count integer);
        insert into intermediate.int_agent_days values
            ('ana', '2026-01-05', 400, 200, 3), ('ana', '2026-01-06', 100, 100, 1), ('ana', '2026-01-08', 900, 10, 99);
        insert into marts.sla_chats values
            ('c1', 'pickup', 'met', 'met'), ('c2', 'pickup', 'met', 'pending'), ('c3', 'pickup', 'met', 'met'),
            ('c4', 'pickup', 'breached', 'met'), ('c5', 'pickup', 'pending', 'met'),
            ('c6', 'pickup', 'not_applicable', 'met'), ('another', 'pickup', 'breached', 'met');
        insert into analysis.customer_analyses (
            id, triggered_by, filters, sample_rate, classifier, classifier_version, is_llm, published_at)
        values ('first', 'marta', '{"date_start": "2026-01-04", "date_end": "2026-01-07"}', 1, 'rules-v1', 'rules-v1+1',
            false, now());
    """)
    for chat, (agent, department, channel, seconds, intent, stage, mood, score) in CHATS.items():
        conn.execute(
            "insert into marts.chat_response_times values "
            "(%s, %s, %s, %s, null, %s, null, null, null, 1, 1, 22, 0, false)",
            [chat, agent, department, channel, seconds],
        )
        conn.execute(
            "insert into analysis.analysis_chats values ('first', %s, %s, %s)",
            [chat, "skipped" if chat in SKIPPED else "categorized", SKIPPED.get(chat)],
        )
        if chat not in SKIPPED:
            conn.execute(
                "insert into analysis.customer_categorizations (analysis_id, chat_id, customer_intent, journey_stage, "
                "sentiment, agent_quality_score, model_vendor, model, is_llm, classified_by, classification_id) "
                "values ('first', %s, %s, %s, %s, %s, 'rules', 'rules-v1', false, 'v', 1)",
                [chat, intent, stage, mood, score],
            )
    conn.execute(
        "insert into marts.chat_response_times values "
        "('another', 'ana', 'sales', 'whatsapp', 1, 1, 1, 1, 1, 99, 99, 9, 3, false)"
    )
    with conn.cursor() as cursor, cursor.copy("copy intermediate.int_messages from stdin") as copy:
        for message in [*MESSAGES, ("another", "video", BEGAN)]:
            copy.write_row(message)
