"""What was paid for outlives its new names: classifications, who waits for one, and the rights of who reads them."""

from typing import Any

import psycopg

from dagster_project.warehouse import migrations

BEFORE = "0027"
FILL = """
    insert into analysis.answers (work_key, classifier, version, provider, model, is_llm, customer_intent, sentiment,
        confidence_score, confidence_source, reasoning_notes, cost_usd, answered_at)
    values ('k1', 'rules-v1', 'v1', 'rules', 'rules-v1', false, 'LEGAL', 'NEUTRAL', 0.5, 'rule_margin', '', 0, now()),
        ('k2', 'claude', 'v2', 'fake', 'fake-claude-test', false, 'OTHER', 'NEUTRAL', 1, 'model_verbalized', '', 0.25,
            now());
    update analysis.answers set input_tokens = 7 where provider = 'fake';
    insert into analysis.chat_work (chat_id, classifier, version, state, work_key, answer_id, load_id, looked_at)
    values ('a', 'claude', 'v2', 'answered', 'k2', 2, 1, now()), ('b', 'claude', 'v2', 'unsettled', null, null, 1,
    now()),
        ('c', 'claude', 'v2', 'dead', 'k3', null, 1, now()), ('d', 'claude', 'v2', 'pending', 'k4', null, 1, now());
    insert into ops.ai_usage_ledger (run_id, day, work_key, endpoint, provider, model, is_batch, reserved_usd,
        price_version) values ('r', '2026-11-01', 'k2', 'e', 'fake', 'm', false, 1, 'p');
    create schema if not exists shown;
    create view shown.of_chats as select chat_id, answer_id, state from analysis.current_answers;
"""
PARTS = """
    select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
    where connamespace in ('analysis'::regnamespace, 'ops'::regnamespace)
    union all
    select tablename, indexname, indexdef from pg_indexes where schemaname in ('analysis', 'ops')
    union all
    select sequencename, data_type::text, '' from pg_sequences where schemaname in ('analysis', 'ops')
    union all
    select table_name, column_name, data_type from information_schema.columns where table_schema in ('analysis', 'ops')
    order by 1, 2, 3
"""


def rows(conn: psycopg.Connection, query: str) -> list[Any]:
    return conn.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]


def test_classifications_that_were_paid_for_are_kept_and_so_are_rights(database_url: str) -> None:
    migrations.downgrade(database_url, BEFORE)
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(FILL)
        conn.execute("grant select on analysis.answers, analysis.current_answers to pg_monitor")
        parts = rows(conn, PARTS)
        kept = rows(conn, "select * from analysis.answers order by answer_id")

        migrations.upgrade(database_url)

        assert rows(conn, "select * from analysis.classifications order by classification_id") == kept
        assert rows(conn, "select chat_id, state from analysis.classification_queue order by 1") == [
            ("a", "classified"),
            ("b", "ongoing"),
            ("c", "dead_lettered"),
            ("d", "pending"),
        ]
        chats = [("a", 2, "classified"), ("c", None, "dead_lettered"), ("d", None, "pending")]
        current = "select chat_id, classification_id, state from analysis.current_classifications order by 1"
        assert rows(conn, current) == rows(conn, "select * from shown.of_chats order by 1") == chats
        granted = "select has_table_privilege('pg_monitor', 'analysis.{}', 'select')"
        assert rows(conn, granted.format("classifications")) == [(True,)]
        assert rows(conn, granted.format("current_classifications")) == [(True,)]
        assert rows(conn, "select model_vendor, cache_key from ops.ai_usage_ledger") == [("fake", "k2")]
        old_words = r"answer|work(?!er)|provider\M|unsettled|looked_at|'dead'"
        assert [
            part
            for part in rows(conn, PARTS)
            if conn.execute("select %s ~ %s", [str(part), old_words]).fetchone() == (True,)
        ] == []

        migrations.downgrade(database_url, BEFORE)

        assert rows(conn, PARTS) == parts
        assert rows(conn, "select * from analysis.answers order by answer_id") == kept
        states = "select chat_id, state from analysis.chat_work order by 1"
        assert rows(conn, states) == [("a", "answered"), ("b", "unsettled"), ("c", "dead"), ("d", "pending")]
