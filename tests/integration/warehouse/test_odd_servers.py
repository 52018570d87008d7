"""Servers, databases and users not as we would make them: told before anything is written, or made harmless."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import psycopg2
import pytest
from sqlalchemy import create_engine

from dagster_project.warehouse import binaries, connection, embedded, fitness, migrations
from tests.support import forked_dbt

ODD_DEFAULTS = {
    "datestyle": "German, DMY",
    "intervalstyle": "iso_8601",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "client_encoding": "LATIN1",
    "timezone": "Asia/Kolkata",
    "search_path": "nowhere",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "statement_timeout": "1ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
}
READ = "select timestamptz '2025-10-02 03:04:05+00'::text, interval '26 hours'::text, '\\', '\\x00'::bytea::text, \
(1 / 3.0::float8)::text, 'ñ🙂'"
READ_AS = ("2025-10-02 03:04:05+00", "26:00:00", "\\", "\\x00", "0.3333333333333333", "ñ🙂")


@pytest.fixture(scope="module")
def admin(new_folder: Callable[[], str]) -> Iterator[str]:
    """The owner of a server of its own, because some roles are made on it."""
    with embedded.running(Path(new_folder()) / "pg", throwaway=True) as url:
        yield url


def _as(url: str, user: str, database: str) -> str:
    place = urlsplit(url).netloc.rpartition("@")[2]
    return urlunsplit(urlsplit(url)._replace(netloc=f"{user}:{user}@{place}", path=f"/{database}"))


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def test_defaults_of_server_database_and_role_change_nothing_for_any_driver(
    admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(
        admin,
        "create database odd",
        "create role odd login superuser password 'odd'",
        *(f"alter database odd set {name} = '{value}'" for name, value in list(ODD_DEFAULTS.items())[::2]),
        *(f"alter role odd set {name} = '{value}'" for name, value in list(ODD_DEFAULTS.items())[1::2]),
    )
    url = _as(admin, "odd", "odd")
    fitness.require(url)
    migrations.upgrade(url)
    for name, value in connection.environment(url).items():
        monkeypatch.setenv(name, value)
    with connection.connect(url) as conn:
        conn.execute("select pg_sleep(0.01)")
        assert conn.execute(READ).fetchone() == READ_AS
    libpq = psycopg2.connect("")
    engine = create_engine(connection.environment(url)["DAGSTER_PG_URL"])
    with libpq.cursor() as cursor, engine.begin() as dagster:
        cursor.execute("create temporary table ours (n int)")
        cursor.execute(READ)
        assert cursor.fetchone() == READ_AS
        dagster.exec_driver_sql("create table runs (n int)")
        assert dagster.exec_driver_sql(READ).fetchone() == READ_AS
        assert dagster.exec_driver_sql("select 'runs'::regclass = 'dagster.runs'::regclass").scalar() is True
    libpq.close()
    engine.dispose()
    done = forked_dbt.run(url, "seed", "--select", "business_hours")
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_all_texts_is_told(admin: str, encoding: str) -> None:
    _run(admin, f"create database in_{encoding} encoding '{encoding}' locale 'C' template template0")
    assert _faults(urlunsplit(urlsplit(admin)._replace(path=f"/in_{encoding}".lower()))) == [
        f"the database is in {encoding}, which cannot hold every text: "
        "`create database NAME encoding 'UTF8' template template0`"
    ]


def test_each_right_that_a_build_needs_is_asked_for_and_the_words_told_mend_it(admin: str) -> None:
    _run(
        admin,
        "create role bare login password 'bare'",
        "create database bare",
        "revoke temporary on database bare from public",
        "revoke usage on language plpgsql from public",
    )
    there = urlunsplit(urlsplit(admin)._replace(path="/bare"))
    _run(
        there,
        "revoke usage on language plpgsql from public",
        "create schema core; create schema marts",
        "alter schema marts owner to bare; create table marts.old (n int)",
    )
    url = _as(admin, "bare", "bare")
    faults = _faults(url)
    assert [fault.split(":")[0] for fault in faults] == [
        "the user may not create schemas",
        "the user may not create temporary tables, which each build needs",
        "the user may not use the language plpgsql",
        "the schema core belongs to b2chat, and a build changes what is in it",
        "1 tables and views in the schema marts belong to b2chat, and a build changes them",
    ]
    _run(there, *(fault.split("`")[1] for fault in faults[:4]), "alter table marts.old owner to bare")
    fitness.require(url)
    migrations.upgrade(url)


def test_check_says_each_fault_in_a_line_of_its_own_and_writes_nothing(
    admin: str, b2chat: Callable[..., "object"]
) -> None:
    _run(
        admin,
        "create role poor login password 'poor'",
        "create database poor",
        "revoke temporary on database poor from public",
    )
    url = _as(admin, "poor", "poor")
    done = b2chat("check", DATABASE_URL=url)
    assert done.returncode == 1, done.stderr
    assert [" ".join(line.split(":")[0].split()) for line in done.stdout.splitlines()] == [
        "wrong warehouse the user may not create schemas",
        "wrong warehouse the user may not create temporary tables, which each build needs",
    ]
    _run(admin, "grant create on database poor to poor")
    done = b2chat("sync", DATABASE_URL=url, B2CHAT_SANDBOX="generated")
    assert done.returncode == 2
    assert "grant temporary on database poor to poor" in done.stderr and "Traceback" not in done.stderr
    with psycopg.connect(url) as conn:
        assert conn.execute("select to_regnamespace('ops') is null").fetchone() == (True,)


def test_a_standby_is_told(new_folder: Callable[[], str]) -> None:
    folder = Path(new_folder()) / "pg"
    with embedded.running(folder) as url:
        pass
    programs = binaries.find(None)
    data = next(folder.glob("*/PG_VERSION")).parent
    (data / "standby.signal").touch()
    arguments = ("--pgdata", data, "--wait")
    programs.run("pg_ctl", "start", *arguments, "--log", data / "server.log", "--options", f"-p {urlsplit(url).port}")
    try:
        assert _faults(url) == ["this server is a standby, which can only be read: name the primary"]
    finally:
        programs.run("pg_ctl", "stop", *arguments, "--mode", "immediate")


def test_two_connections_to_one_session_are_a_pool_of_transactions(database_url: str) -> None:
    with connection.connect(database_url) as conn, connection.connect(database_url) as other:
        assert not fitness.share_a_session(conn, other)
        assert fitness.share_a_session(conn, conn)


def _faults(url: str) -> list[str]:
    with pytest.raises(fitness.UnfitServer) as caught:
        fitness.require(url)
    return caught.value.faults
