"""The data dictionary is whole: each of its columns is in the warehouse, and its last tables are as it says."""

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import yaml

from dagster_project.settings import PROJECT_ROOT
from tests.support import dictionary

# What holds as much and more: an exact answer, a count beyond two thousand million.
WIDER = {"json": "jsonb", "bigint": "integer"}


@pytest.fixture(scope="module")
def conn(new_database: Callable[[], str]) -> Any:
    with psycopg.connect(new_database(), autocommit=True) as conn:
        yield conn


def columns_of(conn: psycopg.Connection, schema: str, table: str) -> dict[str, tuple[str, bool, str | None]]:
    rows = conn.execute(
        "select column_name, data_type, is_nullable = 'NO', column_default from information_schema.columns "
        "where table_schema = %s and table_name = %s",
        [schema, table],
    ).fetchall()
    return {name: (kind, required, default) for name, kind, required, default in rows}


def test_all_199_columns_of_the_dictionary_are_there_by_their_names_and_types(conn: psycopg.Connection) -> None:
    tables = dictionary.load()
    assert sum(len(table["columns"]) for table in tables.values()) == dictionary.COLUMN_COUNT
    for table, schema in dictionary.KEPT.items():
        found = {name: kind for name, (kind, _, _) in columns_of(conn, schema, table).items()}
        wanted = {name: dictionary.type_of(kind) for name, kind in tables[table]["columns"].items()}
        assert {name: WIDER.get(found.get(name, ""), found.get(name)) for name in wanted} == wanted, table
    models = yaml.safe_load((PROJECT_ROOT / "dbt/models/core/_core__models.yml").read_text())["models"]
    core = {model["name"]: {column["name"] for column in model["columns"]} for model in models}
    assert [name for table in dictionary.CORE for name in tables[table]["columns"] if name not in core[table]] == []


@pytest.mark.parametrize("table", ["users", "system_settings", "audit_logs"])
def test_the_dictionarys_last_tables_have_its_null_rules_defaults_and_indexes(
    conn: psycopg.Connection, table: str
) -> None:
    wanted, found = dictionary.load()[table], columns_of(conn, "ops", table)
    assert {name for name in wanted["columns"] if found[name][1]} == set(wanted["required"])
    assert {name: found[name][2] for name in wanted["columns"]} == {
        name: dictionary.default_of(wanted["defaults"].get(name, "-")) for name in wanted["columns"]
    }
    rows = conn.execute(
        "select indexdef from pg_indexes where schemaname = 'ops' and tablename = %s", [table]
    ).fetchall()
    indexed = [re.sub(r' DESC|"', "", re.search(r"\((.+?)\)$", row[0])[1]) for row in rows]  # type: ignore[index]
    # A unique index of a partitioned table must end with the column that divides it.
    indexed += [index.removesuffix(", timestamp") for index in indexed]
    assert [index for index in wanted["indexes"] if index not in indexed] == []
    assert conn.execute(
        "select count(*) from pg_indexes where schemaname = 'ops' and tablename = %s and indexdef ~ 'DESC'", [table]
    ).fetchone() == ((2,) if table == "audit_logs" else (0,))


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("insert into ops.users (id, email, role) values ('a', 'x@y.co', 'Owner')", "users_role_check"),
        ("insert into ops.users (id, email, role) values ('a', 'dagster@service.invalid', 'Admin')", "users_email_key"),
        (
            "insert into ops.system_settings (key, value, category) values ('K', '1', 'app')",
            "system_settings_user_or_system",
        ),
        (
            "insert into ops.system_settings (key, value, category, is_system_setting, user_id) "
            "values ('K', '1', 'app', true, 'dagster')",
            "system_settings_user_or_system",
        ),
        (
            "insert into ops.system_settings (key, value, category, user_id) values ('K', '1', 'user', 'nobody')",
            "system_settings_user_id_fkey",
        ),
        (
            "insert into ops.system_settings (key, value, category, is_system_setting) values ('K', '1', 'x', true)",
            "system_settings_category_check",
        ),
        *(
            (
                "insert into ops.system_settings (key, value, category, is_system_setting) "
                f"values ('{key}', '1', 'app', true)",
                "system_settings_hold_no_secret",
            )
            for key in ("B2CHAT_CLIENT_SECRET", "anthropic_api_key", "DATABASE_URL", "B2CHAT_HEARTBEAT_URL")
        ),
        (
            "insert into ops.audit_logs (event_type, severity) values ('auth.login', 'odd')",
            "audit_logs_severity_check",
        ),
    ],
)
def test_a_rule_of_the_dictionary_is_a_rule_of_the_table(conn: psycopg.Connection, statement: str, rule: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError, match=rule):
        conn.execute(statement)  # type: ignore[arg-type]
