"""Roles and logins on a server: made with the least that each needs, compared, put back, refused, shut out."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import main as cli
from dagster_project.ingestion.single_writer import writer
from dagster_project.warehouse import connection, conninfo, embedded, migrations, partitions
from dagster_project.warehouse.access import (
    audit_log,
    bi_role,
    logins,
    rights,
    roles,
    users,
)
from dagster_project.warehouse.access.logins import LoginRefused

PASSWORD = "a-password-of-tests"


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    made = new_database()
    with psycopg.connect(made, autocommit=True) as conn:
        conn.execute("create schema core; create schema marts; create table core.agents as select 'ana' as id")
        conn.execute("create table marts.fact (n int); create table core.chats (id text)")
        roles.restore(conn)
    return made


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as conn:
        yield conn
        for login in logins.listed(conn):
            if login.is_there:
                conn.execute(f'drop owned by "{login.name}"; drop role "{login.name}"')
        conn.execute("delete from ops.logins; update ops.users set disabled_at = null")


def test_the_loader_makes_the_months_of_a_built_table_that_it_may_not_look_into(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create table core.messages (timestamp timestamptz) partition by range (timestamp)")
        with writer(connection.as_role(url, roles.LOADER), "test"):
            pass
        made = "select count(*) from pg_inherits where inhparent = 'core.messages'::regclass"
        assert conn.execute(made).fetchone() == (partitions.MONTHS_AHEAD + 1,)
        conn.execute("drop table core.messages")


def test_each_role_can_do_what_is_written_and_the_matrix_shows_it(conn: psycopg.Connection) -> None:
    found = rights.found(conn)
    assert (found.excess, found.lack) == ([], [])
    shown = found.can
    assert {role: {schema for schema, can in row.items() if "w" in can} for role, row in shown.items()} == {
        "b2chat_loader": {"raw", "ops"},
        "b2chat_dbt": {"ops"},
        "b2chat_analysis": {"analysis", "ops"},
        "bi_reader": set(),
        "pii_reader": set(),
        "b2chat_manager": set(),
        "b2chat_admin": {"ops"},
        "b2chat_agent": set(),
    }
    assert {role: row.get("marts", "") for role, row in shown.items()} == {
        "b2chat_loader": "",
        "b2chat_dbt": "c",
        "b2chat_analysis": "r",
        "bi_reader": "r",
        "pii_reader": "r",
        "b2chat_manager": "r",
        "b2chat_admin": "r",
        "b2chat_agent": "",
    }
    assert {role for role, row in shown.items() if "raw" in row} == {"b2chat_loader", "b2chat_dbt"}
    assert (shown["b2chat_manager"]["ops"], shown["b2chat_agent"].get("ops")) == ("r", None)
    conn.execute("set role b2chat_manager")
    conn.execute("select from ops.export_logs")
    for other in ("users", "audit_logs", "sync_logs", "logins"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(f"select from ops.{other}")
    conn.execute("reset role")
    lines = rights.check(conn).splitlines()
    assert lines[1].split() == ["raw", "ops", "core", "marts", "analysis"]
    assert lines[2].split() == ["b2chat_loader", "rw", "rwx", "-", "-", "-"]


@pytest.mark.parametrize(
    ("grant", "told"),
    [
        (
            "grant usage on schema raw to b2chat_manager; grant select on raw.quarantine to b2chat_manager",
            "b2chat_manager can select in raw: quarantine",
        ),
        ("grant insert on marts.fact to bi_reader", "bi_reader can insert in marts: fact"),
        (
            "grant select (id) on core.chats to bi_reader; grant usage on schema core to bi_reader",
            "bi_reader can select in core: chats",
        ),
        ("grant truncate on marts.fact to public", "b2chat_manager can truncate in marts: fact"),
        ("grant execute on function ops.keep_month to public", "b2chat_admin can execute in ops: keep_month"),
        ("grant create on schema marts to b2chat_manager", "b2chat_manager can create in marts"),
        ("grant update on raw.b2chat_chats to b2chat_dbt", "b2chat_dbt can update in raw: b2chat_chats"),
        (
            "alter default privileges in schema core grant select on tables to b2chat_agent; "
            "create table core.more (); grant usage on schema core to b2chat_agent",
            "b2chat_agent can select in core: more",
        ),
    ],
)
def test_a_right_too_much_is_told_and_taken_back(conn: psycopg.Connection, grant: str, told: str) -> None:
    conn.execute(grant.encode())
    with pytest.raises(rights.RightsWrong, match=told):
        rights.check(conn)
    roles.restore(conn)
    rights.check(conn)


@pytest.mark.parametrize(
    ("change", "back", "told"),
    [
        ("alter role b2chat_admin createrole", "alter role b2chat_admin nocreaterole", "is a superuser"),
        (
            "grant pg_read_all_data to b2chat_agent",
            "revoke pg_read_all_data from b2chat_agent",
            "b2chat_agent can select",
        ),
        ("alter role pii_reader login", "alter role pii_reader nologin", "pii_reader may log in"),
    ],
)
def test_what_no_grant_says_is_told_too(conn: psycopg.Connection, change: str, back: str, told: str) -> None:
    conn.execute(change.encode())
    with pytest.raises(rights.RightsWrong, match=told):
        rights.check(conn)
    conn.execute(back.encode())
    rights.check(conn)


def test_a_right_that_is_missing_is_told_and_given_also_for_tables_that_come_later(conn: psycopg.Connection) -> None:
    conn.execute("revoke insert on raw.quarantine from b2chat_loader; revoke usage on schema marts from bi_reader")
    with pytest.raises(rights.RightsWrong, match="b2chat_loader cannot insert in raw: quarantine"):
        rights.check(conn)
    roles.restore(conn)
    assert conn.execute("select ops.apply_rights()").fetchone() == (0,)  # nothing is left to do
    conn.execute("create table marts.later (n int); create table raw.later (n int); create view marts.seen as select 1")
    conn.execute("select ops.keep_response_day('2030-01-01'), ops.keep_month('ops.sync_logs', '2030-01-01')")
    rights.check(conn)


def test_a_login_has_an_end_few_sessions_and_limits_and_its_password_is_in_no_statement(
    conn: psycopg.Connection, url: str
) -> None:
    until = datetime(2099, 1, 2, tzinfo=UTC)
    conn.execute("set log_statement = 'all'")
    password = logins.make(conn, "ana", "agent", made_by="test", agents=["ana"], valid_until=until, sessions=1)
    own = conninfo.for_role(url, "ana", password)
    with psycopg.connect(own) as ana:
        shown = {name: ana.execute(f"show {name}").fetchone() for name in (*bi_role.SETTINGS, "session_authorization")}
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            psycopg.connect(own)
    assert shown["search_path"] == ("marts_pii",) and shown["default_transaction_read_only"] == ("on",)
    row = conn.execute("""
        select rolvaliduntil, rolpassword ~ '^SCRAM-SHA-256', rolconnlimit,
            rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
        from pg_authid where rolname = 'ana'""").fetchone()
    assert row == (until, True, 1, False)
    [listed] = logins.listed(conn)
    assert (listed.name, listed.purpose, listed.agents, listed.disabled_at) == ("ana", "agent", ["ana"], None)
    rights.check(conn)


def test_a_login_that_is_disabled_expired_or_given_another_role_does_no_more_what_it_did(
    conn: psycopg.Connection, url: str
) -> None:
    logins.make(conn, "max", "pii", made_by="test", password=PASSWORD)
    own = conninfo.for_role(url, "max", PASSWORD)
    with psycopg.connect(own) as session:
        session.execute("select count(*) from marts.fact")
        logins.make(conn, "max", "agent", made_by="test", password=PASSWORD, agents=["ana"])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select count(*) from marts.fact")
        logins.disable(conn, "max", by="test")
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(own)
        logins.make(
            conn,
            "max",
            "manager",
            made_by="test",
            password=PASSWORD,
            valid_until=datetime.now(UTC) - timedelta(seconds=1),
        )
    events = conn.execute("select event_type from ops.audit_logs where resource = 'login:max' order by timestamp")
    assert [event for (event,) in events][:3] == ["login.create", "login.update", "login.delete"]
    [listed] = logins.listed(conn)
    assert listed.disabled_at is None and listed.valid_until < datetime.now(UTC)


def test_a_login_is_its_users_and_goes_with_the_user(conn: psycopg.Connection, url: str) -> None:
    ana = users.add(conn, "ana@acme.co", "Admin")
    made = {
        name: logins.make(conn, name, purpose, made_by="test", user="Ana@Acme.co")
        for name, purpose in (("ana.bi", "bi"), ("ana.admin", "admin"))
    }
    logins.make(conn, "max", "bi", made_by="test", password=PASSWORD)
    own = {name: conninfo.for_role(url, name, password) for name, password in made.items()}
    assert {login.name: login.user for login in logins.listed(conn)} == {
        "ana.bi": "ana",
        "ana.admin": "ana",
        "max": "max",
    }

    users.change(conn, "ana", role="Manager")
    assert not connection.opens(own["ana.admin"]) and connection.opens(own["ana.bi"])
    with pytest.raises(LoginRefused, match="ana is Manager, and a login of an administrator takes an Admin"):
        logins.make(conn, "ana.admin", "admin", made_by="test")
    with psycopg.connect(own["ana.bi"]) as session:
        audit_log.acting(conn, "chief")
        users.change(conn, "ana", disabled=True)
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    users.change(conn, "ana", disabled=False)
    assert not connection.opens(own["ana.bi"])  # a new password is asked for, by whoever lets her in again
    assert connection.opens(conninfo.for_role(url, "max", PASSWORD))
    events = "select user_id from ops.audit_logs where event_type = 'login.delete' and resource = 'login:ana.bi'"
    assert conn.execute(events).fetchall() == [("chief",)]
    conn.execute("update ops.users set disabled_at = now() where id = 'max'; alter role max login")
    with pytest.raises(rights.RightsWrong, match="max may log in, though its user is disabled"):
        rights.check(conn)
    with pytest.raises(LoginRefused, match="the user max is disabled"):
        logins.make(conn, "max", "bi", made_by="test", password=PASSWORD)
    with pytest.raises(LoginRefused, match="no user nobody"):
        logins.make(conn, "more", "bi", made_by="test", user="nobody")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute("delete from ops.users where id = %s", [ana.id])


def test_logins_from_before_are_of_the_user_who_is_called_so_and_a_downgrade_keeps_them(
    new_database: Callable[[], str],
) -> None:
    made = new_database()
    with psycopg.connect(made, autocommit=True) as conn:
        users.add(conn, "ana@acme.co", "Manager", user_id="ana")
        migrations.downgrade(made, "0039")
        conn.execute("""
            insert into ops.logins (login, role, valid_until, made_by)
            values ('ana', 'bi_reader', now(), 'a'), ('old', 'bi_reader', now(), 'a')""")
        migrations.upgrade(made)
        owners = "select login::text, users.kind from ops.logins inner join ops.users on users.id = user_id order by 1"
        assert conn.execute(owners).fetchall() == [("ana", "person"), ("old", "service")]


@pytest.mark.parametrize(
    ("name", "purpose", "given", "reason"),
    [
        ("Ana", "agent", {"agents": ["ana"]}, "small letters"),
        ("pg_ana", "pii", {}, "small letters"),
        ("b2chat", "pii", {}, "small letters"),
        ("bi_reader", "pii", {}, "small letters"),
        ("stranger", "pii", {}, "not of this warehouse"),
        ("ana", "agent", {}, "needs --agent"),
        ("ana", "agent", {"agents": ["ana"], "departments": ["sales"]}, "takes no --department"),
        ("ana", "agent", {"agents": ["nobody"]}, "no agent has the id 'nobody'"),
        ("ana", "pii", {"agents": ["ana"]}, "logins of agents and managers"),
        ("ana", "pii", {"password": "short"}, "12 characters"),
    ],
)
def test_a_login_that_cannot_be_is_refused(
    conn: psycopg.Connection, name: str, purpose: str, given: dict[str, list[str]], reason: str
) -> None:
    conn.execute("drop role if exists stranger; create role stranger")
    with pytest.raises(LoginRefused, match=reason):
        logins.make(conn, name, purpose, made_by="test", **given)  # type: ignore[arg-type]
    assert logins.listed(conn) == []


def test_where_we_may_not_create_roles_all_goes_on_without_until_an_administrator_made_them(
    new_folder: Callable[[], str],
) -> None:
    with embedded.running(Path(new_folder()) / "pg", throwaway=True) as admin:
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute("create role plain login password 'plain'; grant create on database b2chat to plain")
        url = conninfo.for_role(admin, "plain", "plain")
        migrations.upgrade(url)
        with psycopg.connect(url, autocommit=True) as conn, psycopg.connect(admin, autocommit=True) as administrator:
            assert "not made: b2chat_loader, b2chat_dbt" in rights.check(conn)
            with pytest.raises(LoginRefused, match="no role b2chat_agent"):
                logins.make(conn, "ana", "agent", made_by="test", agents=["ana"])
            administrator.execute(bi_role.script(conn, "SCRAM-SHA-256$4096:eA==$eA==:eA=="))
            roles.restore(conn)
            assert "each as it should\n" in rights.check(conn)
            with pytest.raises(LoginRefused, match="may not create roles"):
                logins.make(conn, "ana", "agent", made_by="test", agents=["ana"])
            migrations.downgrade(url, "0032")
            migrations.upgrade(url)
            rights.check(conn)


def test_what_dbt_makes_changes_hands_and_back_and_a_second_time_nothing(conn: psycopg.Connection) -> None:
    conn.execute("create or replace view marts.other as select n from marts.fact")
    assert roles.hand_over(conn, separate=True) > 0
    owners = "select distinct relowner::regrole::text from pg_class where relnamespace = 'marts'::regnamespace"
    assert conn.execute(owners).fetchall() == [("b2chat_dbt",)]
    assert roles.hand_over(conn, separate=True) == 0
    roles.restore(conn)
    rights.check(conn)
    assert roles.hand_over(conn, separate=False) > 0
    assert conn.execute(owners).fetchall() == conn.execute("select current_user::text").fetchall()
    assert roles.hand_over(conn, separate=False) == 0


def test_the_command_takes_a_password_from_a_file_or_stdin_and_prints_only_one_that_it_made(
    conn: psycopg.Connection, url: str, new_folder: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("B2CHAT_DATA_DIR", new_folder())

    def users(*words: str, stdin: str = "") -> Result:
        return CliRunner().invoke(cli.app, ["users", *words], input=stdin)

    made = users("login", "max", "--as", "manager")
    assert made.exit_code == 0
    psycopg.connect(made.stdout.strip()).close()
    given = users("login", "ana", "--as", "agent", "--agent", "ana", "--password-file", "-", stdin=f"{PASSWORD}\n")
    assert given.exit_code == 0 and PASSWORD not in given.output and "ana:***@" in given.stdout
    psycopg.connect(conninfo.for_role(url, "ana", PASSWORD)).close()
    assert users("login", "max", "--disable").exit_code == 0
    listed = users("logins").stdout.splitlines()
    assert "sees agent ana" in listed[0] and "disabled since" in listed[1]
    for wrong in (["ana"], ["ana", "--as", "agent", "--disable"], ["ana", "--as", "king"]):
        assert users("login", *wrong).exit_code == 2
