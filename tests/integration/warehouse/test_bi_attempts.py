"""A hundred attempts of BI's role and of a manager's login to read, write, block, fill or stay: each is refused, or
undone by the next check."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import dagster as dg
import psycopg
import pytest

from dagster_project.ingestion.single_writer import writer
from dagster_project.orchestration.storage import PooledStorage
from dagster_project.settings import Settings
from dagster_project.warehouse import conninfo, embedded, migrations
from dagster_project.warehouse.access import bi_access, logins

REFUSED = {
    "reads what is not its own": """
        select from raw.b2chat_chats
        select from ops.page_loads
        select from ops.locks
        select from analysis.classifications
        table ops.alembic_version
        select from pg_authid
        select from pg_statistic
        select from pg_largeobject
        select from pg_hba_file_rules
        select from pg_file_settings
        select pg_read_file('PG_VERSION')
        select pg_read_binary_file('PG_VERSION')
        select pg_stat_file('PG_VERSION')
        select pg_ls_dir('.')
        select pg_ls_logdir()
        select pg_ls_waldir()
        select current_setting('data_directory')
        copy (select 1) to '/tmp/of_bi'
        copy (select 1) to program 'true'
        select lo_import('/etc/hostname')
        select lo_export(1, '/tmp/of_bi')
        select nextval('ops.page_loads_load_id_seq')
        select setval('ops.page_loads_load_id_seq', 1)
        select passwd from pg_shadow
        select from pg_statistic_ext_data
        select from pg_ident_file_mappings
        select query_to_xml('select * from raw.b2chat_chats', true, false, '')
        select table_to_xml('raw.b2chat_chats', true, false, '')
        select schema_to_xml('raw', true, false, '')
        select from ts_stat('select to_tsvector(chat_id) from raw.b2chat_chats')
        select pg_relation_size('raw.b2chat_chats')
        select attname from pg_attribute where attrelid = 'raw.b2chat_chats'::regclass
        do $$ begin execute 'select from raw.b2chat_chats'; end $$
        copy raw.b2chat_chats to stdout
        copy marts.fact to program 'cat'
        select current_setting('config_file')
        select current_setting('log_directory')
        select pg_current_logfile()
        select pg_ls_tmpdir()
        select pg_ls_archive_statusdir()
        select pg_database_size('postgres')
        select pg_read_file('/etc/hostname', 0, 10)
        select from pg_ls_dir('/')
        select ops.apply_rights()
        select from ops.logins
        select from ops.login_scopes
        select from ops.role_rights
        select from marts_pii.all_chats
        select ops.end_readers(true)
        select ops.keep_month('ops.sync_logs', '2030-01-01')
        table marts_pii.all_chats
    """,
    "writes": """
        delete from marts.fact
        update marts.fact set size = 0
        insert into marts.fact values (1, 1)
        truncate marts.fact
        drop table marts.fact
        alter table marts.fact add column more int
        create index on marts.fact (id)
        comment on table marts.fact is 'mine'
        create or replace view marts.report as select 1 as id
        create table marts.mine (n int)
        create table public.mine (n int)
        create table mine (n int)
        create schema mine
        create function marts.mine() returns int language sql as 'select 1'
        create rule mine as on select to marts.report do instead nothing
        create trigger mine before insert on marts.fact execute function suppress_redundant_updates_trigger()
        create policy mine on marts.fact
        refresh materialized view marts.fact
        copy marts.fact from '/etc/passwd'
        create function pg_temp.leak(text) returns bool language sql as 'select true'
        create operator public.=== (leftarg = text, rightarg = text, function = texteq)
        create aggregate pg_temp.mine (text) (sfunc = textcat, stype = text)
        create type pg_temp.mine as (n int)
        create domain mine as text
        create collation mine from "C"
        create statistics mine on id, size from marts.fact
        create cast (text as int) with inout
        alter default privileges for role b2chat grant select on tables to bi_reader
        insert into ops.login_scopes values (current_user, 'department', 'all')
        insert into ops.role_rights values (current_user, 'raw', '.*', array['select'])
        merge into marts.fact using (select 1 as n) as t on false when not matched then insert values (1, 1)
    """,
    "blocks others": """
        select pg_advisory_lock(11715751, 1)
        select pg_advisory_lock(1)
        select pg_advisory_lock_shared(1)
        select pg_try_advisory_lock(1)
        select pg_try_advisory_lock_shared(1, 1)
        select pg_advisory_xact_lock(1)
        select pg_try_advisory_xact_lock(1)
        select count(pg_advisory_lock(n)) from generate_series(1, 100000) as n
        select ops.try_lock('write', 'raw')
        select ops.lock_in_transaction('write', 'raw')
        select from marts.fact for update
        select from marts.fact for key share
        begin; lock table marts.fact in row exclusive mode
        begin; lock table marts.fact in access exclusive mode
        begin; lock table marts.report in share mode
        begin; select from marts.fact; prepare transaction 'mine'
        select pg_terminate_backend(pid) from pg_stat_activity where usename = 'b2chat'
        select pg_cancel_backend(pid) from pg_stat_activity where usename = 'b2chat'
        reindex table marts.fact
        cluster marts.fact
    """,
    "fills the disk": """
        create temporary table mine (n int)
        create temporary sequence mine
        create temporary view mine as select 1 as n
        select 1 as n into temporary mine
        create temporary table mine as select from generate_series(1, 10)
        select lo_create(0)
        select lo_creat(-1)
        select lo_from_bytea(0, '\\x00')
        select lo_put(1, 0, '\\x00')
        select lowrite(0, '\\x00')
        select pg_logical_emit_message(false, 'mine', repeat('x', 100))
        set temp_file_limit = -1
        alter role bi_reader set temp_file_limit = -1
    """,
    "becomes more": """
        set role b2chat
        set session authorization b2chat
        grant b2chat to bi_reader
        grant pg_read_all_data to bi_reader
        grant pg_write_all_data to current_user
        alter role bi_reader superuser
        alter role bi_reader createrole
        alter role bi_reader createdb
        alter role bi_reader replication
        alter role bi_reader bypassrls
        alter role bi_reader connection limit 90
        alter role bi_reader valid until '2000-01-01'
        alter role bi_reader nologin
        alter role bi_reader rename to mine
        drop role bi_reader
        create role mine
        reassign owned by bi_reader to b2chat
        alter role b2chat password 'mine'
        alter role b2chat set statement_timeout = 1
        alter role all set statement_timeout = 1
        set session_replication_role = replica
        set role pg_monitor
        select set_config('role', 'b2chat', false)
        select set_config('session_authorization', 'b2chat', false)
        alter role bi_reader set session_preload_libraries = 'x'
        alter role bi_reader set log_min_messages = debug5
    """,
    "changes the server": """
        alter system set work_mem = '1GB'
        alter database b2chat set statement_timeout = 1
        alter database b2chat rename to mine
        create database mine
        create tablespace mine location '/tmp'
        create extension btree_gist
        create publication mine
        create subscription mine connection 'dbname=b2chat' publication mine with (connect = false)
        create foreign data wrapper mine
        create event trigger mine on ddl_command_start execute function suppress_redundant_updates_trigger()
        create language plpython3u
        load 'pg_prewarm'
        do language c 'x'
        checkpoint
        select pg_reload_conf()
        select pg_switch_wal()
        select pg_stat_reset()
        select pg_promote()
        select pg_create_restore_point('mine')
        select pg_create_physical_replication_slot('mine')
        select pg_log_backend_memory_contexts(pg_backend_pid())
        set log_statement = 'all'
        set log_min_messages = debug5
        set track_activities = off
        set dynamic_library_path = '/tmp'
        set allow_system_table_mods = on
        select pg_rotate_logfile()
        select pg_stat_reset_shared('io')
        select pg_backup_start('mine')
        select pg_create_logical_replication_slot('mine', 'pgoutput')
        select pg_replication_origin_create('mine')
        select pg_log_backend_memory_contexts(pid) from pg_stat_activity where usename = 'b2chat'
        create extension pg_buffercache
        comment on database b2chat is 'mine'
    """,
}
# These succeed, as they do for any role: what a check puts back, or what ends with the session.
UNDONE = {
    "lifts its limits": """
        alter role bi_reader set statement_timeout = 0
        alter role bi_reader set statement_timeout = '1ms'
        alter role bi_reader set default_transaction_read_only = off
        alter role bi_reader set idle_in_transaction_session_timeout = 0
        alter role bi_reader set lock_timeout = 0
        alter role bi_reader set search_path = pg_catalog
        alter role bi_reader set work_mem = '100GB'
        alter role bi_reader set client_encoding = 'LATIN1'
        alter role bi_reader in database b2chat set statement_timeout = 0
        alter role bi_reader in database b2chat set work_mem = '100GB'
        alter role bi_reader reset statement_timeout
        alter role bi_reader set role = 'b2chat'
        alter role bi_reader set local_preload_libraries = 'x'
        alter role bi_reader set default_tablespace = 'x'
        alter role bi_reader with encrypted password 'md5d41d8cd98f00b204e9800998ecf8427e'
        alter role bi_reader reset all
        alter role current_user set default_transaction_isolation = serializable
    """,
    "shuts others out": """
        alter role bi_reader password 'mine'
        alter role bi_reader password null
        drop owned by bi_reader
        alter default privileges grant select on tables to public
    """,
    "is at work for long": """
        set statement_timeout = 0; select pg_sleep(0.1)
        set statement_timeout = 0; set work_mem = '1GB'; select count(*) from generate_series(1, 100000) as n
        begin; select from marts.fact, marts.report
        begin; select pg_current_xact_id()
        begin; select pg_export_snapshot()
        declare mine cursor with hold for select n from generate_series(1, 1000) as n
        do $$ begin for n in 1..1000 loop perform n; end loop; end $$
        select repeat('x', 10000000)
    """,
    "floods": """
        listen mine; begin; notify mine, 'x'
        select count(pg_notify('mine', n::text)) from generate_series(1, 10000) as n
        revoke select on marts.fact from bi_reader
        grant select on marts.fact to public
        vacuum marts.fact
        analyze marts.fact
    """,
}
NOT_ALLOWED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.ObjectNotInPrerequisiteState,
)


def _each(attempts: dict[str, str]) -> list[str]:
    return [line.strip() for lines in attempts.values() for line in lines.strip().splitlines()]


class House:
    """A warehouse of its own server, as `b2chat` starts it, with a table and a view in marts."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.settings = Settings.load(data_dir=folder, bi_password="bi-canary")
        migrations.upgrade(url)
        with psycopg.connect(url) as conn:
            conn.execute("create schema marts; create table marts.fact as select 1 as id, 1 as size")
            conn.execute("create view marts.report as select id from marts.fact")
            conn.execute("create schema marts_pii; create view marts_pii.all_chats as select 1 as chat_id")
        self.bi_url = bi_access.url_with_password(self.settings, url)
        with psycopg.connect(url, autocommit=True) as conn:
            logins.make(conn, "marta", "manager", made_by="test", password="manager-canary", departments=["sales"])
        self.manager_url = conninfo.for_role(url, "marta", "manager-canary")
        self.check()

    def check(self) -> str:
        return bi_access.check(self.settings, self.url)

    def is_whole(self) -> None:
        """BI reads the marts within its limits and owns nothing; we write, and change what BI reads."""
        with writer(self.url, "a sync"), psycopg.connect(self.url) as conn:
            conn.execute("set lock_timeout = '2s'")
            conn.execute("create temporary table ours (n int); alter table marts.fact alter column size set default 1")
            row = conn.execute("""
                select rolconnlimit, rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls,
                    (select count(*) from pg_auth_members where member = pg_roles.oid),
                    (select count(*) from pg_shdepend where refobjid = pg_roles.oid and deptype = 'o'
                        and classid <> 'pg_default_acl'::regclass),
                    (select array_agg(setting order by setting) from pg_db_role_setting, unnest(setconfig) as setting
                        where setrole = pg_roles.oid)
                from pg_roles where rolname = 'bi_reader'
            """).fetchone()
            assert row == (
                20,
                False,
                0,
                0,
                [
                    "default_transaction_read_only=on",
                    "idle_in_transaction_session_timeout=1min",
                    "lock_timeout=30s",
                    "log_min_messages=panic",
                    "search_path=marts",
                    "statement_timeout=5min",
                    "temp_file_limit=10GB",
                ],
            )
            conn.rollback()
        with psycopg.connect(self.bi_url) as conn:
            assert conn.execute("select fact.id, size from fact inner join report using (id)").fetchall() == [(1, 1)]
            assert conn.execute("show statement_timeout").fetchone() == ("5min",)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("select from raw.b2chat_chats")


@pytest.fixture(scope="module")
def house(new_folder: Callable[[], str]) -> Iterator[House]:
    folder = Path(new_folder())
    with embedded.running(folder / "pg", throwaway=True) as url:
        yield House(folder, url)


@pytest.mark.parametrize("attempt", _each(REFUSED))
def test_what_bi_and_managers_may_not_do_is_refused_also_once_they_have_lifted_what_they_can(
    house: House, attempt: str
) -> None:
    with (
        psycopg.connect(house.bi_url, autocommit=True) as bi,
        psycopg.connect(house.manager_url, autocommit=True) as manager,
        writer(house.url, "a sync") as sync,
    ):
        for conn, own in ((bi, "bi_reader"), (manager, "marta")):
            conn.execute("set default_transaction_read_only = off; set statement_timeout = '10s'; set lock_timeout = 0")
            with pytest.raises(NOT_ALLOWED):
                conn.execute(attempt.replace("bi_reader", own).encode())
        sync.execute("select 1")


@pytest.mark.parametrize("attempt", _each(UNDONE))
def test_what_bi_can_do_stops_no_sync_and_is_gone_after_the_next_check(house: House, attempt: str) -> None:
    with psycopg.connect(house.bi_url, autocommit=True) as conn:
        conn.execute("set default_transaction_read_only = off")
        conn.execute(attempt.encode())
        with writer(house.url, "a sync"):
            assert "reads 2 marts" in house.check()
    house.is_whole()


def test_a_hundred_attempts_end_with_the_role_as_it_was(house: House) -> None:
    assert len(set(_each(REFUSED))) + len(set(_each(UNDONE))) >= 100
    house.is_whole()


def test_what_others_ask_and_what_their_tables_hold_is_not_in_what_the_catalog_shows_to_bi(house: House) -> None:
    with psycopg.connect(house.url, autocommit=True) as ours, psycopg.connect(house.bi_url) as bi:
        ours.execute("create table raw.canary as select 'canary-' || n % 3 as said from generate_series(1, 99) as n")
        ours.execute("analyze raw.canary")
        ours.execute("select 'canary'")
        for shown in (
            "pg_stat_activity where usename = 'b2chat'",
            "pg_stats where schemaname not in ('marts', 'pg_catalog')",
            "pg_stats_ext",
            "pg_prepared_statements",
            "pg_cursors",
            "pg_settings where sourcefile is not null",
            "pg_sequences where last_value is not null",
            "information_schema.columns where table_schema = 'raw'",
        ):
            assert "canary" not in str(bi.execute(f"select * from {shown}".encode()).fetchall()), shown
        ours.execute("drop table raw.canary")


def test_bi_does_not_fill_the_servers_log(house: House) -> None:
    [log] = (house.settings.data_path / "pg").glob("*/server.log")
    before = log.stat().st_size
    with psycopg.connect(house.bi_url, autocommit=True) as conn:
        conn.execute("do $$ begin for n in 1..5 loop raise log '%', repeat('x', 100000); end loop; end $$")
        conn.execute("set debug_print_plan = on")
        with pytest.raises(psycopg.errors.DivisionByZero):
            conn.execute('select 1 / 0 as "' + "x" * 50 + '" /* ' + "x" * 100_000 + " */")
    assert log.stat().st_size - before < 2000


def test_no_event_of_a_run_is_told_to_a_channel_that_bi_could_hear_or_fill(house: House) -> None:
    storage = PooledStorage(house.url.replace("postgresql:", "postgresql+psycopg2:"))
    with psycopg.connect(house.bi_url, autocommit=True) as bi:
        bi.execute("listen run_events")
        storage.event_log_storage.store_event(dg.EventLogEntry(None, "info", "said", "run-1", 1.0))
        assert list(bi.notifies(timeout=0.5)) == []
    assert len(storage.event_log_storage.get_logs_for_run("run-1")) == 1
    storage.event_log_storage.dispose()


def test_bi_enters_no_other_database_of_our_server_and_has_twenty_sessions(house: House) -> None:
    for name in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(urlunsplit(urlsplit(house.bi_url)._replace(path=f"/{name}")))
    with ExitStack() as sessions:
        for _ in range(20):
            sessions.enter_context(psycopg.connect(house.bi_url))
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            psycopg.connect(house.bi_url)
        with writer(house.url, "a sync"):
            assert "reads 2 marts" in house.check()


def test_what_bi_did_while_it_was_not_walled_in_is_found_and_cleared(house: House) -> None:
    with psycopg.connect(house.url, autocommit=True) as conn, psycopg.connect(house.bi_url, autocommit=True) as bi:
        conn.execute("grant execute on function lo_from_bytea, pg_advisory_lock(bigint) to public")
        conn.execute("grant temporary, create on database b2chat to bi_reader; grant create on schema public to public")
        conn.execute("grant insert on marts.fact to bi_reader; grant pg_read_all_data to bi_reader")
        bi.execute("set default_transaction_read_only = off")
        bi.execute("select pg_advisory_lock(1), lo_from_bytea(0, 'x')")
        bi.execute("select lo_from_bytea(0, 'x')")
        house.check()
        with pytest.raises(psycopg.OperationalError):
            bi.execute("select 1")
    house.is_whole()
