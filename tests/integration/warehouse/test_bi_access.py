"""BI's role, and refreshes that never wait for it: our macros on a small dbt project, with real second sessions."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dagster_project.dashboard.errors import DashboardFailed
from dagster_project.dashboard.reader import reader
from dagster_project.orchestration.dbt_project import DBT_DIR
from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import embedded, migrations
from dagster_project.warehouse.access import bi_access
from tests.support import forked_dbt

FACT = """
{{ config(materialized='incremental', incremental_strategy='affected_keys', unique_key='id',
          on_schema_change='append_new_columns', post_hook="select pg_sleep({{ var('pause', 0) }})") }}
select load_id as id, record_count as size from ops.page_loads as loads where {{ load_window('loads') }}
"""
REPORT = "select id, size * 2 as doubled from {{ ref('fact') }}"
VERSIONS = """
models:
  - name: fact
    latest_version: 2
    versions: [{v: 1}, {v: 2}]
"""
ONE_MORE_LOAD = """
    insert into ops.page_loads (sync_id, source, entity_type, page_offset, record_count, new_count, changed_count,
        unchanged_count, quarantined_count, response_bytes, request_ms, loaded_at)
    values ('s', 'b2chat', 'chats', 0, 5, 0, 0, 0, 0, 0, 0, now())
"""


class Shop:
    """A dbt project with our macros and settings, and two marts: a table and a view on it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        for part in ("macros", "tests/generic"):
            shutil.copytree(DBT_DIR / part, folder / part)
        shutil.copy(DBT_DIR / "profiles.yml", folder)
        project = (DBT_DIR / "dbt_project.yml").read_text()
        (folder / "dbt_project.yml").write_text(project.replace("enforced: true", "enforced: false"))
        self.marts = folder / "models" / "marts"
        self.marts.mkdir(parents=True)
        shutil.copy(DBT_DIR / "models" / "groups.yml", folder / "models")
        self.write("fact.sql", FACT)
        self.write("report.sql", REPORT)

    def write(self, name: str, text: str) -> None:
        (self.marts / name).write_text(text)

    def build(self, *arguments: str) -> None:
        done = forked_dbt.run(self.url, "build", *arguments, project=self.folder)
        assert done.returncode == 0, done.stdout[-3000:]

    def bring(self) -> None:
        with psycopg.connect(self.url) as conn:
            conn.execute(ONE_MORE_LOAD)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as conn:
            return conn.execute(query).fetchall()

    @property
    def settings(self) -> Settings:
        return Settings.load(data_dir=self.folder, bi_password="bi-canary")

    def check(self) -> str:
        """What `b2chat check` says of BI."""
        return bi_access.check(self.settings, self.url)

    def session(self) -> psycopg.Connection:
        """A BI tool's session."""
        return psycopg.connect(bi_access.url_with_password(self.settings, self.url))


@pytest.fixture(scope="module")
def shop(new_folder: Callable[[], str], new_database: Callable[[], str]) -> Shop:
    made = Shop(Path(new_folder()), new_database())
    made.bring()
    made.build()
    return made


def test_a_refresh_waits_for_no_idle_reader_and_readers_read_on_while_it_writes(shop: Shop) -> None:
    shop.bring()
    with shop.session() as idle, watching(shop) as seen:
        assert idle.execute("select count(*) from report").fetchone() == (1,)
        shop.build("--vars", "{pause: 2}")
        assert idle.execute("select count(*) from report").fetchone() == (2,)
    assert seen.reads > 20 and seen.pages > 5
    assert seen.longest_read < 1 and seen.longest_lock_wait < 1
    assert seen.failures == []


def test_a_rebuild_ends_idle_readers_in_its_way_and_other_readers_and_their_views_stay(shop: Shop) -> None:
    with psycopg.connect(shop.url) as conn:
        conn.execute("create view public.of_bi as select doubled from marts.report")
    shop.write("report.sql", REPORT.replace(" from", ", size as added from"))
    with shop.session() as idle, watching(shop) as seen:
        idle.execute("select from report, fact")
        shop.build("--full-refresh")
        with pytest.raises(psycopg.OperationalError):
            idle.execute("select 1")
    assert seen.longest_read < 1 and seen.longest_lock_wait < 1
    assert seen.failures == []
    assert shop.ask("select count(*) = (select count(*) from marts.fact) from public.of_bi") == [(True,)]
    with shop.session() as conn:
        conn.execute("select added from report")


def test_a_view_that_loses_a_column_is_built_anew_with_its_rights(shop: Shop) -> None:
    shop.write("report.sql", "select size from {{ ref('fact') }}")
    shop.write("newcomer.sql", "select 1 as one")
    shop.build("--full-refresh")
    with shop.session() as conn:
        conn.execute("select size from report, newcomer")
        assert "doubled" not in [column.name for column in conn.execute("select * from report").description or []]


def test_the_role_reads_marts_and_nothing_else_and_writes_nothing(shop: Shop) -> None:
    with shop.session() as conn:
        assert conn.execute("show statement_timeout").fetchone() == ("5min",)
        for statement in (
            "select from ops.page_loads",
            "select from raw.b2chat_chats",
            "select from ops.build_watermarks",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
            conn.rollback()
        conn.execute("set default_transaction_read_only = off")
        conn.commit()
        for statement in ("delete from marts.fact", "create table marts.a (n int)", "create table public.a (n int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
            conn.rollback()
    shown = shop.check()
    assert "bi_reader:***@" in shown and "canary" not in shown
    with psycopg.connect(shop.url, autocommit=True) as conn:
        conn.execute("grant usage on schema raw to bi_reader; grant select on raw.b2chat_chats to bi_reader")
        with pytest.raises(bi_access.BiAccessWrong, match=r"can read raw\.b2chat_chats"):
            shop.check()
        conn.execute("revoke all on raw.b2chat_chats from bi_reader; revoke all on schema raw from bi_reader")


def test_the_newest_version_of_a_mart_keeps_its_name_and_an_older_one_gets_a_suffix(shop: Shop) -> None:
    shop.write("fact_v1.sql", FACT)
    shop.write("fact_v2.sql", FACT.replace("record_count as size", "record_count as number"))
    (shop.marts / "fact.sql").unlink()
    shop.write("report.sql", "select number from {{ ref('fact') }}")
    shop.write("marts.yml", VERSIONS)
    for _ in range(2):
        shop.bring()
        shop.build()
    rows = shop.ask("select count(*) from ops.page_loads")
    for query in (
        "select count(number) from marts.fact",
        "select count(size) from marts.fact_v1",
        "select count(number) from marts.report",
    ):
        assert shop.ask(query) == rows
    models = shop.ask("select model from ops.build_watermarks where model like 'fact%' order by 1")
    assert models == [("fact",), ("fact_v1",)]


def test_a_table_that_loses_a_column_takes_no_view_of_bi_away(shop: Shop) -> None:
    shop.build()
    shop.bring()
    with psycopg.connect(shop.url) as conn:
        conn.execute("create view public.own as select number as mine from marts.report")
    for version in ("1", "2"):
        shop.write(f"fact_v{version}.sql", FACT.replace("record_count as size", "record_count as amount"))
    shop.write("report.sql", "select amount as number, 1 as more from {{ ref('fact') }}")
    kept = "select relname from pg_class where relname like '%dbt_backup'"
    shop.build()
    assert shop.ask("select count(mine) from public.own") == shop.ask("select count(*) from ops.page_loads")
    assert shop.ask(kept) == []


def test_a_rebuild_ends_a_query_of_bi_that_has_lifted_its_limits(shop: Shop) -> None:
    with shop.session() as conn:
        conn.execute("set statement_timeout = 0")
        asleep = threading.Thread(target=_ended, args=[conn, "select pg_sleep(600) from report"])
        asleep.start()
        shop.build("--full-refresh", "--vars", "{bi_lock_wait: 1 second}")
        asleep.join(10)
        assert not asleep.is_alive()


def _ended(conn: psycopg.Connection, query: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        conn.execute(query)


def test_one_sql_text_makes_the_whole_role_where_we_may_not_and_check_compares_it(
    new_folder: Callable[[], str],
) -> None:
    folder = Path(new_folder())
    with embedded.running(folder / "pg", throwaway=True) as admin:
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute("create role plain login password 'plain'; grant create on database b2chat to plain")
            conn.execute("create role other login")
        shop = Shop(folder, bi_access._url(admin, "plain").replace("bi_reader:", "plain:"))
        migrations.upgrade(shop.url)
        shop.build()
        assert "b2chat db bi-sql" in shop.check()
        with pytest.raises(SettingsError, match=r"no role bi_reader.*bi-sql"):
            shop.session()
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute("create role bi_reader login; grant bi_reader to plain")
            with pytest.raises(bi_access.BiAccessWrong, match=r"20 sessions.*settings.*temporary.*bi-sql"):
                shop.check()
            conn.execute(bi_access.script(shop.settings, shop.url))
            conn.execute(bi_access.script(shop.settings, shop.url))
        assert shop.check().endswith("reads 2 marts (`b2chat db bi-url` prints it with the password)")
        shop.build()
        with shop.session() as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("set transaction read write; create temporary table a (n int)")
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute("set role other; create temporary table a (n int); select pg_advisory_lock(1)")
            conn.execute("reset role; alter role bi_reader connection limit 21; set role bi_reader")
            conn.execute("alter role bi_reader set statement_timeout = 0")
        with pytest.raises(bi_access.BiAccessWrong, match=r"20 sessions.*settings"):
            shop.check()


@contextmanager
def watching(shop: Shop) -> "Iterator[Watch]":
    """A reader that never pauses, and a look at who waits for a lock, in threads while the block lasts."""
    watch = Watch(shop)
    threads = [threading.Thread(target=work) for work in (watch.read, watch.turn_pages, watch.look)]
    for thread in threads:
        thread.start()
    try:
        yield watch
    finally:
        watch.over.set()
        for thread in threads:
            thread.join()


class Watch:
    """What readers and waiters met, in seconds."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.over = shop, threading.Event()
        self.reads, self.pages, self.longest_read, self.longest_lock_wait = 0, 0, 0.0, 0.0
        self.failures: list[str] = []

    def read(self) -> None:
        with self.shop.session() as conn:
            conn.autocommit = True
            while not self.over.wait(0.01):
                began = time.monotonic()
                try:
                    conn.execute("select count(*), sum(doubled) from report")
                except psycopg.Error as error:
                    self.failures.append(str(error))
                    return
                self.reads += 1
                self.longest_read = max(self.longest_read, time.monotonic() - began)

    def turn_pages(self) -> None:
        """The dashboard, whose pages are several statements long."""

        def page(conn: psycopg.Connection) -> int:
            first, second = (
                conn.execute(f"select count(*), pg_sleep({wait}) from report").fetchone() for wait in (0, 0.05)
            )
            return min(first[0], second[0]) if first and second else 0

        with reader(self.shop.settings, self.shop.url) as marts:
            while not self.over.wait(0.02):
                began = time.monotonic()
                try:
                    if not marts.read(page):
                        self.failures.append("the dashboard saw an empty table")
                except DashboardFailed as error:
                    self.failures.append(str(error))
                self.pages += 1
                self.longest_read = max(self.longest_read, time.monotonic() - began)

    def look(self) -> None:
        query = "select coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0)::float from pg_locks"
        with psycopg.connect(self.shop.url, autocommit=True) as conn:
            while not self.over.wait(0.02):
                row = conn.execute(query).fetchone()
                self.longest_lock_wait = max(self.longest_lock_wait, row[0] if row else 0)
