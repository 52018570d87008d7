"""The embedded Postgres and the migrations, as processes and users meet them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import connection, embedded, migrations

TABLES = """
    select table_schema || '.' || table_name from information_schema.tables
    where table_schema in ('raw', 'ops') and table_name <> 'alembic_version' order by 1
"""


@pytest.fixture
def folder(new_folder: Callable[[], str]) -> Path:
    return Path(new_folder()) / "pg"


def test_the_server_speaks_tcp_with_a_password_and_keeps_its_port_and_data(folder: Path) -> None:
    with embedded.running(folder) as first, psycopg.connect(first) as conn:
        conn.execute("create table kept (n int)")
        conn.commit()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(first.replace(":" + first.split(":")[2].split("@")[0], ":wrong"))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first, connect_timeout=3)
    with embedded.running(folder) as second, psycopg.connect(second) as conn:
        assert second == first
        assert conn.execute("select count(*) from kept").fetchone() == (0,)


def test_the_last_user_stops_the_server_and_a_killed_one_does_not_keep_it(folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from dagster_project.warehouse import embedded\n"
        "with embedded.running(Path(sys.argv[1]), throwaway=True) as url: print(url, flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    url = other.stdout.readline().strip()
    with embedded.running(folder, throwaway=True) as same:
        assert same == url
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        other.stdout.close()
        psycopg.connect(url).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=3)


def test_a_killed_server_is_started_again_with_its_data(folder: Path) -> None:
    with embedded.running(folder) as url:
        with psycopg.connect(url) as conn:
            conn.execute("create table kept as select generate_series(1, 1000) as n")
        pid = int(next(folder.glob("*/postmaster.pid")).read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
        with embedded.running(folder) as again, psycopg.connect(again) as conn:
            assert conn.execute("select count(*) from kept").fetchone() == (1000,)


def test_the_migrations_go_up_down_and_up_again(database_url: str) -> None:
    assert migrations.current(database_url) == migrations.newest() != "0001"
    with psycopg.connect(database_url, autocommit=True) as conn:
        before = conn.execute(TABLES).fetchall()
        assert ("raw.b2chat_chats",) in before
        assert ("ops.sync_logs",) in before
        migrations.downgrade(database_url, "base")
        assert conn.execute(TABLES).fetchall() == []
        migrations.upgrade(database_url)
        assert conn.execute(TABLES).fetchall() == before


def test_what_an_earlier_version_remembers_of_its_builds_is_kept_and_can_go_back(database_url: str) -> None:
    """Migration 0022: dbt made these tables among its models."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        migrations.downgrade(database_url, "0021")
        conn.execute("insert into intermediate.build_fingerprints values ('core.chats', 'f', now())")
        conn.execute("insert into intermediate.rule_loads values (7, 'hash', now())")
        migrations.upgrade(database_url)
        kept = "select fingerprint, load_id, content_hash from ops.build_fingerprints, ops.calendar_and_target_versions"
        assert conn.execute(kept).fetchall() == [("f", 7, "hash")]
        migrations.downgrade(database_url, "0021")
        assert conn.execute("select rules from intermediate.rule_loads").fetchall() == [("hash",)]


def test_a_warehouse_of_a_newer_version_is_left_alone_with_a_clear_word(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("update ops.alembic_version set version_num = '9999'")
    with pytest.raises(migrations.NewerWarehouse, match="9999, of a newer version"):
        migrations.upgrade(database_url)


def test_a_named_postgres_that_does_not_answer_is_one_clear_line_without_the_password() -> None:
    settings = Settings.load(database_url="postgresql://ana:hunter2@127.0.0.1:1/nowhere")
    with pytest.raises(SettingsError) as caught, connection.warehouse(settings):
        pass
    text = str(caught.value)
    assert "DATABASE_URL" in text
    assert "hunter2" not in text
    assert "\n" not in text


def test_every_tool_gets_the_same_warehouse_under_its_own_names() -> None:
    names = connection.environment("postgresql://ana:p%40ss@db.example.test:6543/chats?sslmode=require")
    assert names["PGHOST"] == "db.example.test"
    assert names["PGPORT"] == "6543"
    assert names["PGPASSWORD"] == "p@ss"
    assert names["PGSSLMODE"] == "require"
    storage = urlsplit(names["DAGSTER_PG_URL"])
    assert (storage.scheme, storage.netloc) == ("postgresql+psycopg2", "")
    assert parse_qs(storage.query) == {"options": [names["PGOPTIONS"] + " -csearch_path=dagster"]}
