"""A filled warehouse of before there were several sources, brought up to date: each row is there, under its source.

The data (tests/data/warehouse_of_0021.jsonl) is a part of the sandbox's demo as revision 0021 held it, with what the
demo does not have: superseded versions, quarantine, an interrupted window, notifications and an audit export.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dagster_project.ingestion.checkpoints import open_windows
from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.b2chat.entities import B2CHAT
from dagster_project.sources.b2chat.windows import ResumePoint
from dagster_project.warehouse import migrations

OLD: Path = PROJECT_ROOT / "tests/data/warehouse_of_0021.jsonl"
NEW_NAMES = {
    "raw.chats": "raw.b2chat_chats",
    "raw.contacts": "raw.b2chat_contacts",
    "raw.chat_versions": "raw.b2chat_chat_versions",
    "raw.contact_versions": "raw.b2chat_contact_versions",
    "raw.audit_chats": "raw.b2chat_audit_chats",
    "raw.audit_messages": "raw.b2chat_audit_messages",
}
KEYED = {
    "ops.sync_states",
    "ops.sync_windows",
    "ops.sync_checkpoints",
    "ops.sync_logs",
    "ops.page_loads",
    "ops.field_catalog",
    "raw.quarantine",
}
RENAMED_VALUES = {"file_hash", "only_row"}


@pytest.fixture
def old(database_url: str) -> list[dict[str, Any]]:
    """The rows of the old warehouse, in a database at its revision."""
    rows = [json.loads(line) for line in OLD.read_text().splitlines()]
    with psycopg.connect(database_url, autocommit=True) as conn:
        migrations.downgrade(database_url, "0021")
        conn.execute("create table ops.day partition of ops.api_response_logs default")
        for one in rows:
            conn.execute(
                f"insert into {one['table']} overriding system value "
                f"select (jsonb_populate_record(null::{one['table']}, %s)).*",
                [json.dumps(one["row"])],
            )
    return rows


def rows_of(conn: psycopg.Connection, table: str) -> list[dict[str, Any]]:
    return [row[0] for row in conn.execute(f"select to_jsonb(t) from {table} t")]


def source_of(entity: str) -> str:
    return "b2chat_audit" if entity == "audit" else "b2chat"


def same(value: Any) -> Any:
    """A value, however its time is written."""
    return value.replace("+00:00", "").replace("Z", "") if isinstance(value, str) else value


def test_an_old_warehouse_keeps_each_row_under_its_source(database_url: str, old: list[dict[str, Any]]) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("set timezone = 'UTC'")
        migrations.upgrade(database_url)
        counted = Counter(one["table"] for one in old)
        assert counted["raw.chats"] == 25 and counted["raw.audit_messages"] == 2
        for table in counted:
            if table == "raw.audit_files":
                continue
            now = rows_of(conn, NEW_NAMES.get(table, table))
            extra = [row for row in now if table == "ops.sync_windows" and row["window_day"] is None]
            assert len(now) - len(extra) == counted[table], table
            for one in (one["row"] for one in old if one["table"] == table):
                kept = {
                    name: value
                    for name, value in one.items()
                    if name not in {*RENAMED_VALUES, "entity_type", "metadata"}
                }
                entity = one.get("entity_type")
                if table in KEYED:
                    kept |= {
                        "source": source_of(str(entity)),
                        "entity_type": "messages" if entity == "audit" else entity,
                    }
                assert any(all(same(row[name]) == same(value) for name, value in kept.items()) for row in now), kept
        # A file that had landed is not read again; one that could not be read is.
        landed = "select window_name, record_count from ops.sync_windows where source = 'b2chat_audit'"
        assert conn.execute(landed).fetchall() == [(f"{'a' * 64} marzo.csv", 3)]
        assert conn.execute("select source, kind from ops.data_source").fetchall() == [("b2chat", "sandbox")]
        keys = "select source, metadata ->> 'key' from ops.notifications order by 1"
        assert conn.execute(keys).fetchall() == [
            ("b2chat", "failing:b2chat:chats"),
            ("b2chat_audit", "quarantine:b2chat_audit:messages:1"),
        ]
        (window, point) = next(iter(open_windows(conn, B2CHAT.entity("chats"), None).items()))
        assert window == "created 2026-11-25"
        resumed = ResumePoint.from_text(point.resume_point)
        assert resumed and (resumed.offset, resumed.before.count) == (1000, 1000)


def test_and_it_can_go_back_with_all_of_them(database_url: str, old: list[dict[str, Any]]) -> None:
    tables = sorted({one["table"] for one in old})
    with psycopg.connect(database_url, autocommit=True) as conn:
        before = {table: rows_of(conn, table) for table in tables}
        migrations.upgrade(database_url)
        migrations.downgrade(database_url, "0021")
        for table in tables:
            rows = [row for row in before[table] if not row.get("error")]  # a file that had not landed is not known
            assert sorted(map(str, map(sorted_items, rows_of(conn, table)))) == sorted(
                map(str, map(sorted_items, rows))
            )


def sorted_items(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(row.items(), key=lambda item: item[0])
