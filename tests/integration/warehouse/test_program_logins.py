"""Each part of the program by a login of its own: what it can do once it has left its role, and what dbt is told."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from dagster_project.orchestration import single_dbt
from dagster_project.orchestration.dbt_project import dbt_project
from dagster_project.orchestration.resources import DbtCli
from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import connection, conninfo
from dagster_project.warehouse.access import hidden_code, program_logins, rights, roles, users
from dagster_project.warehouse.access.roles import ANALYSIS, DBT, LOADER

CANARY = "kan-secret-4711"


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> Iterator[str]:
    made = new_database()
    with psycopg.connect(made, autocommit=True) as conn:
        conn.execute("create schema core; create schema marts; create table marts.fact (n int)")
        roles.restore(conn)
        yield made
        for (login,) in conn.execute("select login::text from ops.logins").fetchall():
            conn.execute(f"drop owned by {login}; drop role {login}")


@pytest.fixture(scope="module")
def settings(url: str, new_folder: Callable[[], str]) -> Settings:
    given = Settings(separate_roles=True, data_dir=Path(new_folder()))
    return program_logins.with_logins(given, url)


@pytest.mark.parametrize(
    ("role", "beyond"),
    [
        (LOADER, "select from marts.fact"),
        (LOADER, "update ops.users set role = 'Admin'"),
        (LOADER, "delete from ops.suppressed_people"),
        (DBT, "update raw.b2chat_chats set payload = '{}'"),
        (DBT, "delete from ops.logins"),
        (ANALYSIS, "select from raw.b2chat_chats"),
    ],
)
@pytest.mark.parametrize("escape", ["reset role", "set role none", "discard all"])
def test_who_leaves_the_role_of_its_part_finds_nothing_more(
    settings: Settings, url: str, role: str, beyond: str, escape: str
) -> None:
    owner = conninfo.read(url)["user"]
    with psycopg.connect(program_logins.url_of(settings, url, role), autocommit=True) as part:
        assert part.execute("select current_user").fetchone() == (role,)
        part.execute(escape.encode())
        for more in (f"set role {owner}", f"set session authorization {owner}", beyond):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                part.execute(more.encode())


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("create function marts.own() returns int language sql as 'select 1'", "function marts.own"),
        ("create view marts.own as select lo_export(1, '/x') as n", "call in the view marts.own"),
        ("create view marts.own as select pg_read_file('/x') as n", "call in the view marts.own"),
        ("create view marts.own as select query_to_xml('select 1', true, true, '') as n", "call in the view marts.own"),
        ("create table marts.own (n text default pg_read_file('/x'))", "call in a default of marts.own"),
        ("create table marts.own (n int check (set_config('role', 'none', false) = ''))", "of marts.own"),
        ("create table marts.own (n int); create rule r as on insert to marts.own do also select 1", "rule r on marts"),
        (
            "create table marts.own (n int); create trigger t before update on marts.own for each row "
            "execute function suppress_redundant_updates_trigger()",
            "trigger t on marts.own",
        ),
    ],
)
def test_what_dbt_leaves_behind_for_the_owner_to_run_is_found_before_the_owner_reads(
    settings: Settings, url: str, made: str, told: str
) -> None:
    """A view runs its functions as whoever reads it, a trigger as whoever writes."""
    with psycopg.connect(url, autocommit=True) as conn:
        assert hidden_code.found(conn) == []
        with psycopg.connect(program_logins.url_of(settings, url, DBT), autocommit=True) as dbt:
            dbt.execute(made.encode())
            with pytest.raises(hidden_code.HiddenCode, match=told):
                hidden_code.require_none(conn)
            with pytest.raises(rights.RightsWrong, match="b2chat_dbt has made a"):
                rights.check(conn)
            dbt.execute(f"drop {made.split()[1]} marts.own".encode())


def test_logins_are_made_once_kept_to_ourselves_and_shown_by_the_check(settings: Settings, url: str) -> None:
    kept = settings.data_path / "dbt_password"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    again = program_logins.with_logins(settings.model_copy(update=dict.fromkeys(program_logins.SETTINGS.values())), url)
    assert again.database_url_dbt == settings.database_url_dbt
    assert "each work by a login of their own" in program_logins.check(settings, url)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create role rooms_reader") if not roles.exists(conn, "rooms_reader") else None
        conn.execute("create schema rooms; create table rooms.messages (); grant usage on schema rooms to rooms_reader")
        conn.execute("grant select on rooms.messages to rooms_reader")
        program_logins.with_logins(settings, url)
        rights.check(conn)
    with psycopg.connect(program_logins.reader_url(settings, url, "rooms_reader")) as reader:
        reader.execute("select from rooms.messages")
    kept.write_text("another")
    healed = program_logins.with_logins(settings.model_copy(update={"database_url_dbt": None}), url)
    assert healed.database_url_dbt and connection.opens(healed.database_url_dbt.get_secret_value())
    wrong = settings.model_copy(update={"database_url_loader": SecretStr(url)})
    with pytest.raises(program_logins.LoginsWrong, match="may do more than b2chat_loader"):
        program_logins.check(wrong, url)


def test_without_a_login_a_part_has_its_role_and_the_check_says_that_this_is_no_wall(
    new_database: Callable[[], str], new_folder: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Settings(data_dir=Path(new_folder()))
    assert "does all as the owner" in program_logins.check(plain, "postgresql://nowhere")
    made = new_database()
    with psycopg.connect(made, autocommit=True) as conn:
        roles.restore(conn)
        conn.execute("create role feeder login password 'feeder' in role b2chat_loader")
        conn.execute("create role plain login password 'plain' in role b2chat_loader, b2chat_dbt")
        conn.execute("grant usage on schema ops to plain; grant select on ops.logins, ops.users to plain")
        conn.execute("grant execute on all functions in schema ops to plain")
        url = conninfo.for_role(made, "plain", "plain")
        given = plain.model_copy(
            update={"separate_roles": True, "database_url_loader": SecretStr("postgresql://feeder:feeder@/")}
        )
        settings = program_logins.with_logins(given, url)
        assert "b2chat_dbt, b2chat_analysis by `set role`" in program_logins.check(settings, url)
        for role, login in ((LOADER, "feeder"), (DBT, "plain")):
            with psycopg.connect(program_logins.url_of(settings, url, role)) as part:
                assert part.execute("select session_user::text, current_user::text").fetchone() == (login, role)
        conn.execute("drop owned by plain, feeder; drop role plain, feeder")
    monkeypatch.setenv("DATABASE_URL_DBT", "postgresql://one@/two")
    with pytest.raises(SettingsError, match="B2CHAT_SEPARATE_ROLES must be true"):
        Settings.load()


def test_a_user_who_is_disabled_is_no_way_in_for_the_program_either(settings: Settings, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        users.change(conn, DBT, disabled=True)
        anew = settings.model_copy(update={"database_url_dbt": None})
        with pytest.raises(SettingsError, match="the user b2chat_dbt is disabled"):
            program_logins.with_logins(anew, url)
        users.change(conn, DBT, disabled=False)
        program_logins.with_logins(anew, url)


def test_the_process_of_dbt_finds_its_own_login_and_no_other_secret(
    settings: Settings, url: str, new_folder: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = program_logins.with_logins(settings.model_copy(update={"database_url_dbt": None}), url)
    assert settings.database_url_dbt
    told = Path(new_folder()) / "told"
    program = told.with_name("dbt")
    program.write_text(f"#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/environ > {told}\n")
    program.chmod(0o700)
    given = {"DATABASE_URL": url, "B2CHAT_SEPARATE_ROLES": "true", "B2CHAT_TIMEZONE": "America/Bogota"}
    given |= {"DATABASE_URL_DBT": settings.database_url_dbt.get_secret_value(), "DAGSTER_PG_URL": CANARY}
    secrets = (
        "B2CHAT_CLIENT_SECRET",
        "B2CHAT_CLIENT_ID",
        "ANTHROPIC_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "SMTP_PASSWORD",
    )
    for name, value in (given | dict.fromkeys(secrets, CANARY) | {"OF_NOBODY_KNOWN": CANARY}).items():
        monkeypatch.setenv(name, value)
    DbtCli(project_dir=dbt_project, dbt_executable=str(program)).cli(["build"], target_path=told.parent).process.wait()
    found = dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)
    assert CANARY not in found.values() and conninfo.read(url).get("password") not in " ".join(found.values())
    assert found["PGUSER"] == conninfo.read(settings.database_url_dbt.get_secret_value())["user"]
    assert found["B2CHAT_TIMEZONE"] == "America/Bogota" and found["DAGSTER_DBT_CLI"] == "true"
    assert {name for name in found if "URL" in name} == {"DATABASE_URL"}
    assert single_dbt.environment({}).keys() == {name for name in found if name.startswith(("PG", "DATABASE"))}
