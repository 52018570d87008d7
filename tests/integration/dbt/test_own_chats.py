"""What logins of agents, managers and readers of personal data see in marts_pii, and seventy ways to see more."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from dagster_project.warehouse import connection, conninfo
from dagster_project.warehouse.access import logins, roles
from tests.support.listed import ListedSource, chat, contact, message, serving
from tests.support.world import World

# All that is Bea's holds this word, and nothing of Ana's does.
CANARY = "canario"
ANA, BEA = ({"name": name, "username": name.lower()} for name in ("Ana", "Bea"))
CHATS = [
    chat("of-ana", agent=ANA, department="Ventas", contact={"id": 1, "name": "Zoe"},
         messages=[message("2025-10-01 09:00:01", body="hola"), message("2025-10-01 09:00:02", body="2")]),
    chat("of-bea", agent=BEA, department="Cartera", contact={"id": 2, "name": f"{CANARY} contacto"},
         messages=[message("2025-10-01 09:00:01", body=f"{CANARY} dicho"), message("2025-10-01 09:00:02", body="2")]),
    chat("of-bea-in-sales", agent=BEA, department="Ventas", contact={"id": 2, "name": f"{CANARY} contacto"},
         messages=[message("2025-10-01 09:00:01", body=f"{CANARY} en ventas")]),
]
CONTACTS = [contact(1, fullname="Zoe", mobile="+570000000001"),
            contact(2, fullname=f"{CANARY} contacto", mobile="+570000000002")]
PASSWORD = "a-password-of-tests"

# Each is refused, or answers without a word of Bea's.
WAYS = rf"""
    select * from my_chats
    select * from my_messages
    select my_messages::text from my_messages
    select * from my_chats where chat_id = 'of-bea'
    select * from my_messages where chat_id = any(array['of-bea', 'of-ana'])
    select * from my_chats where contact_mobile = '+570000000002'
    select string_agg(text, ',') over () from my_messages
    select * from my_messages order by text desc nulls last
    select * from my_chats full join my_messages using (chat_id)
    select max(contact_name) from my_chats group by rollup (agent_id)
    select * from my_messages where text ~ '{CANARY}' or true
    select * from my_chats where 1 / (case when contact_name like '{CANARY}%' then 0 else 1 end) = 1
    select text::integer from my_messages where text like '{CANARY}%'
    select * from my_messages where text::integer > 0
    select * from my_messages where chat_id = 'of-bea' and text::integer > 0
    select * from my_messages where xmlparse(content '<' || text) is not null
    select * from my_messages where set_config('b2chat.seen', coalesce(current_setting('b2chat.seen', true), '') || text, false) is not null
    select current_setting('b2chat.seen', true)
    select * from my_chats where pg_notify('seen', contact_name) is null
    select * from my_chats tablesample system (100)
    select * from my_chats for update
    select ctid, xmin, * from my_chats
    select * from all_chats
    select * from all_messages
    select chat_id from marts_pii.all_chats limit 1
    select count(*) from all_messages
    select * from marts.chat_response_times
    select * from core.chats
    select * from core.messages
    select * from core.messages_2025_10
    select * from only core.contacts
    set search_path = core; select * from messages
    select * from raw.b2chat_chats
    select * from ops.login_scopes
    select * from ops.logins
    select * from ops.audit_logs
    table core.contacts
    insert into ops.login_scopes values ('ana', 'agent', 'bea')
    update ops.login_scopes set scope_id = 'bea'
    insert into my_chats (chat_id) values ('mine')
    update my_chats set agent_id = 'ana'
    delete from my_messages
    merge into my_chats using (select 1 as n) as one on true when matched then delete
    create or replace view marts_pii.my_chats as select * from marts_pii.all_chats
    alter view marts_pii.my_chats reset (security_barrier)
    alter view marts_pii.my_chats set (security_invoker)
    create function pg_temp.leak(text) returns boolean language plpgsql cost 0.0001 as 'begin raise notice $$%$$, $1; return true; end'
    create temporary view mine as select * from marts_pii.all_chats
    create temporary table mine as select * from my_messages
    create operator public.~~~ (leftarg = text, rightarg = text, function = textlike)
    create rule mine as on select to my_chats do also select * from core.messages
    create policy mine on core.chats
    grant select on marts_pii.all_chats to ana
    grant b2chat_manager to ana
    grant pii_reader to current_user
    set role b2chat_dbt
    set role pii_reader
    set role b2chat_agent; select * from marts_pii.my_chats
    set role bea
    set session authorization bea
    select set_config('role', 'b2chat_manager', false)
    alter role ana rename to bea
    alter role ana in role bea
    create role bea2
    copy marts_pii.all_messages to stdout
    copy my_messages to stdout
    copy core.messages to program 'cat'
    copy (select * from my_messages) to stdout
    lock table core.messages
    lock table my_messages in access exclusive mode
    begin; declare mine cursor with hold for select * from my_messages; commit; fetch all from mine
    prepare mine as select * from all_messages
    do $$ begin execute 'select from core.messages'; end $$
    select query_to_xml('select * from core.messages', true, false, '')
    select table_to_xml('marts_pii.all_chats', true, false, '')
    select schema_to_xml('marts_pii', true, false, '')
    select database_to_xml(true, false, '')
    select ts_stat('select to_tsvector(text) from core.messages')
    select * from pg_stats where schemaname in ('core', 'marts_pii', 'raw')
    select * from pg_stats_ext
    select * from pg_statistic
    select * from pg_stat_activity
    select pg_stat_get_activity(null)
    select * from pg_prepared_statements
    select * from pg_locks inner join pg_class on pg_class.oid = relation
    select pg_get_viewdef('marts_pii.my_chats'::regclass)
    select pg_read_file('PG_VERSION')
    select lo_import('/etc/hostname')
    set debug_print_parse = on; set debug_print_plan = on; set client_min_messages = debug5; select * from my_messages
    explain (analyze, verbose, buffers) select * from my_messages
    explain (analyze, verbose) select * from my_chats where contact_name = '{CANARY}' || ' contacto'
"""


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    """Landed as the loader, built as dbt's role: with no more rights than theirs."""
    owner = new_database()
    with serving(ListedSource(list(CHATS), list(CONTACTS))) as sandbox, psycopg.connect(owner, autocommit=True) as conn:
        World(connection.as_role(owner, roles.LOADER), sandbox).sync()
        roles.hand_over(conn, separate=True)
        World(connection.as_role(owner, roles.DBT), sandbox).build("my_chats", "my_messages")
        for name, purpose, of in (("ana", "agent", {"agents": ["ana"]}), ("bea", "agent", {"agents": ["bea"]}),
                                  ("max", "manager", {"departments": ["Ventas"]}), ("pia", "pii", {}),
                                  ("neu", "manager", {})):
            logins.make(conn, name, purpose, made_by="test", password=PASSWORD, **of)
        yield World(owner, sandbox)
        for name in ("ana", "bea", "max", "pia", "neu"):
            conn.execute(f"drop owned by {name}; drop role {name}")


def session(world: World, login: str) -> psycopg.Connection:
    return psycopg.connect(conninfo.for_role(world.url, login, PASSWORD), autocommit=True)


@pytest.fixture(scope="module")
def ana(world: World) -> Iterator[psycopg.Connection]:
    with session(world, "ana") as conn:
        conn.execute("set default_transaction_read_only = off; set lock_timeout = '2s'")
        yield conn


def test_agents_see_their_chats_managers_those_of_their_departments_and_a_login_without_any_none(world: World) -> None:
    seen = {}
    for login in ("ana", "bea", "max", "neu"):
        with session(world, login) as conn:
            chats = conn.execute("select chat_id from my_chats order by 1").fetchall()
            messages = conn.execute("select distinct chat_id from my_messages order by 1").fetchall()
            assert chats == messages
            seen[login] = [chat_id for (chat_id,) in chats]
    assert seen == {"ana": ["of-ana"], "bea": ["of-bea", "of-bea-in-sales"], "max": ["of-ana", "of-bea-in-sales"],
                    "neu": []}
    with session(world, "pia") as conn:
        assert conn.execute("select count(*) from all_chats").fetchone() == (3,)
        assert conn.execute("select count(*) from all_messages").fetchone() == (5,)
        assert conn.execute("select count(*) from my_chats").fetchone() == (0,)


@pytest.mark.parametrize("way", [line.strip() for line in WAYS.strip().splitlines()])
def test_an_agents_login_comes_to_nothing_of_a_colleagues_chat(ana: psycopg.Connection, way: str) -> None:
    told: list[Any] = []
    ana.add_notice_handler(lambda notice: told.append(notice.message_primary))
    try:
        told.append(_answers(ana, way))
    except psycopg.Error as error:
        told += [str(error), error.diag.message_detail, error.diag.context]
    finally:
        ana.execute("rollback; set role none; set debug_print_parse = off; set debug_print_plan = off")
        ana.execute("set client_min_messages = notice; set search_path = marts_pii")
    assert CANARY not in re.sub(re.escape(way), "", str(told)).replace(f"'{CANARY}", "")
    assert "of-bea" not in re.sub(r"'\{?of-bea[^']*'", "", str(told))


def test_there_are_seventy_ways(world: World) -> None:
    assert len(set(WAYS.strip().splitlines())) >= 70


def test_what_is_asked_of_a_colleagues_rows_is_answered_as_if_there_were_none(
    world: World, ana: psycopg.Connection
) -> None:
    """By the plan, its estimates, what it read and how many rows it left out: with enough rows for statistics."""
    with psycopg.connect(world.url, autocommit=True) as conn:
        for table, theirs in (("chats", "id = 'of-bea'"), ("contacts", "id = '2'"), ("messages", f"text = '{CANARY} dicho'")):
            columns = [row[0] for row in conn.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped "
                "and attname not in ('id', 'b2chat_id')", [f"core.{table}"])]
            own = ", b2chat_id" if table != "messages" else ""
            conn.execute(f"""
                insert into core.{table} (id{own}, {", ".join(columns)})
                select id || n{own and ", id || n"}, {", ".join(columns)}
                from core.{table}, generate_series(1, 1000) as n
                where {theirs}""".encode())
        conn.execute("analyze core.chats, core.contacts, core.messages")
    pairs = (
        ("my_chats", "contact_mobile = '{}'", "+570000000002", "+579999999999"),
        ("my_chats", "contact_name = '{}'", f"{CANARY} contacto", "nadie contacto"),
        ("my_chats", "chat_id = '{}'", "of-bea", "of-xyz"),
        ("my_chats", "agent_id = '{}'", "bea", "xyz"),
        ("my_messages", "chat_id = '{}'", "of-bea", "of-xyz"),
        ("my_messages", "text = '{}'", f"{CANARY} dicho", "nadie lo dijo"),
        ("my_messages", "text < '{}'", f"{CANARY} dicho", f"{CANARY} zzz"),
    )
    for view, condition, theirs, nobodys in pairs:
        plans = []
        for value in (theirs, nobodys):
            query = f"explain (analyze, timing off, summary off, buffers) select * from {view} where {condition}"
            rows = [ana.execute(query.format(value).encode()).fetchall() for _ in range(2)][-1]
            plans.append(str(rows).replace(value, "asked"))
        assert plans[0] == plans[1], condition


def test_another_sessions_statement_is_not_shown(world: World, ana: psycopg.Connection) -> None:
    with session(world, "pia") as pia:
        pia.execute("select 'the name of a customer'")
        shown = ana.execute("select * from pg_stat_activity").fetchall()
    assert "customer" not in str(shown)


def test_views_keep_their_barrier_and_rights_when_all_is_made_anew(world: World) -> None:
    rights = """
        select relname, reloptions, relowner::regrole::text, array(
            select grantee::regrole || privilege_type from aclexplode(relacl) where grantee <> relowner order by 1)
        from pg_class where relnamespace in ('marts_pii'::regnamespace, 'core'::regnamespace)
            and relkind in ('r', 'p', 'v') and not relispartition
        order by relname"""
    before = world.ask(rights)
    own = {row["relname"]: row["reloptions"] for row in before if row["relname"].startswith(("all_", "my_"))}
    assert own == dict.fromkeys(["all_chats", "all_messages", "my_chats", "my_messages"], ["security_barrier=true"])
    with psycopg.connect(world.url, autocommit=True) as conn:
        conn.execute("delete from ops.build_fingerprints where relation ~ '(chats|messages|contacts)$'")
    World(connection.as_role(world.url, roles.DBT), world.sandbox).build("my_chats", "my_messages")
    assert world.ask(rights) == before
    with session(world, "ana") as conn:
        assert conn.execute("select chat_id from my_chats").fetchall() == [("of-ana",)]


def _answers(conn: psycopg.Connection, way: str) -> list[Any]:
    with conn.cursor() as cursor:
        if way.startswith("copy") and way.endswith("stdout"):
            with cursor.copy(way.encode()) as copied:
                return [bytes(part) for part in copied]
        cursor.execute(way.encode())
        answers: list[Any] = []
        while True:
            answers += cursor.fetchall() if cursor.description else []
            if not cursor.nextset():
                return answers
