"""Rules about sizes: by tables as the audit sees them, because nobody waits for ten million rows."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from dagster_project.database_audit.checks import CHECKS
from dagster_project.warehouse import connection

IMAGE = """
    create temporary table audit_day as select date '2026-11-20' as today, timestamptz '2026-11-20 12:00+00' as at;
    create temporary table audited_retention (schema_name text, table_name text);
    insert into audited_retention values ('shop', 'archived');
    create temporary table audited_roots (
        schema_name text, table_name text, is_partitioned boolean, row_count bigint
    );
    insert into audited_roots values
        ('shop', 'large', false, 10000000), ('shop', 'nearly', false, 9999999), ('shop', 'unknown', false, null),
        ('shop', 'in_parts', true, 49999999), ('shop', 'huge', true, 50000000), ('shop', 'archived', true, 90000000)
"""
AGES = """
    create temporary table audited_tables (
        oid oid, schema_name text, table_name text, is_partitioned boolean, transaction_age bigint,
        vacuumed_at timestamptz, heap_bytes bigint, live_count bigint, dead_count bigint
    );
    insert into audited_tables values
        (0, 'shop', 'young', false, 200000000, null, 0, 0, 0), (0, 'shop', 'old', false, 500000001, null, 0, 0, 0),
        (0, 'shop', 'very_old', false, 1000000001, null, 0, 0, 0), (0, 'shop', 'in_parts', true, null, null, 0, 0, 0)
"""


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with closing(connection.connect(database_url, autocommit=True)) as conn:
        conn.execute("set search_path = pg_catalog, ops")
        yield conn


def _found(conn: psycopg.Connection, name: str) -> list[tuple[str, str]]:
    [check] = [check for check in CHECKS if check.name == name]
    rows = conn.execute(check.sql).fetchall()  # type: ignore[arg-type]
    return sorted((severity, of) for _, of, severity, *_ in rows)


def test_a_table_is_too_large_by_the_rows_of_its_whole_tree_and_not_where_they_are_unknown_or_archived(
    conn: psycopg.Connection,
) -> None:
    conn.execute(IMAGE, prepare=False)
    assert _found(conn, "size_threshold") == [("warning", "shop.huge"), ("warning", "shop.large")]


def test_a_table_that_vacuum_did_not_reach_is_a_warning_and_then_an_error(conn: psycopg.Connection) -> None:
    conn.execute(AGES, prepare=False)
    assert _found(conn, "transaction_age") == [("error", "shop.very_old"), ("warning", "shop.old")]


def test_an_archive_that_stands_still_and_a_month_that_is_long_due_are_warnings(conn: psycopg.Connection) -> None:
    conn.execute(
        """
        create temporary table audit_day as select timestamptz '2026-11-20 12:00+00' as at;
        create temporary table audited_schemas as select 'raw' as schema_name;
        create temporary table audited_retention as select 'raw' as schema_name, 't' as table_name, 365 as kept_days
            union all select 'ops', 'sync_logs', 90;
        create table raw.t (month date) partition by range (month);
        create table raw.t_2025_09 partition of raw.t for values from ('2025-09-01') to ('2025-10-01');
        create table raw.t_2025_10 partition of raw.t for values from ('2025-10-01') to ('2025-11-01');
        create table raw.t_2025_11 partition of raw.t for values from ('2025-11-01') to ('2025-12-01');
        create temporary table audited_tables as
            select oid, 'raw' as schema_name, relname::text as table_name, relkind = 'p' as is_partitioned,
                'raw.t'::regclass::oid as root_oid, 1 as row_count
            from pg_class where relname ~ '^t(_2025_..)?$'
    """,
        prepare=False,
    )
    assert _found(conn, "archive_upkeep") == [("warning", "raw.t")]
    conn.execute("""
        insert into ops.archives (table_name, month, state, object_key, planned_at, detached_at, restored_at) values
            ('raw.t', '2025-09-01', 'planned', 'a', '2026-11-14', null, null),
            ('raw.t', '2025-10-01', 'restored', 'a', '2026-01-01', '2026-01-01', '2026-11-01'),
            ('raw.t', '2025-08-01', 'detached', 'a', '2026-10-01', '2026-11-13', null),
            ('raw.t', '2025-07-01', 'dropped', 'a', '2026-01-01', '2026-01-01', null)
    """)
    assert _found(conn, "archive_upkeep") == []
    conn.execute(
        "update ops.archives set planned_at = '2026-11-12', detached_at = '2026-11-11' where restored_at is null"
    )
    assert _found(conn, "archive_upkeep") == [("warning", "raw.t 2025-08"), ("warning", "raw.t 2025-09")]


def test_dead_rows_are_measured_where_the_counters_name_them(conn: psycopg.Connection) -> None:
    """The counters call both tables dead; one was vacuumed since."""
    for name in ("dead", "clean"):
        conn.execute(f"create table public.{name} (a text) with (autovacuum_enabled = false)")
        conn.execute(f"alter table public.{name} alter a set storage plain")
        conn.execute(f"insert into public.{name} select repeat('x', 7900) from generate_series(1, 10000)")
    conn.execute("delete from public.dead where ctid > '(500,0)'")
    conn.execute(AGES, prepare=False)
    conn.execute(
        "insert into audited_tables select oid, 'public', relname, false, 0, null, pg_relation_size(oid), 1, 99 "
        "from pg_class where relname in ('dead', 'clean')"
    )
    assert _found(conn, "bloated_table") == [("warning", "public.dead")]


def test_an_index_is_bloated_by_measure_if_it_grew_and_not_checked_where_nobody_can_tell(
    conn: psycopg.Connection,
) -> None:
    conn.execute("create table public.keys (id int primary key, a text) with (autovacuum_enabled = false)")
    conn.execute("insert into public.keys select n, md5(n::text) from generate_series(1, 5000) as n")
    for name, more in {"grew": "", "same": "", "new": "", "partial": "where id > 0", "dense": ""}.items():
        if name != "dense":
            conn.execute(f"create index {name} on public.keys (a) {more}")  # type: ignore[arg-type]
    conn.execute("delete from public.keys where id % 10 <> 0")
    conn.execute("vacuum public.keys")
    conn.execute("create index dense on public.keys (a)")
    conn.execute(IMAGE, prepare=False)
    conn.execute(
        "create temporary table audited_indexes as select oid, oid as root_oid, 'public' as schema_name, "
        "relname::text as index_name, 'btree' as method, true as is_valid, false as is_partitioned, "
        "case relname when 'partial' then 'id > 0' end as predicate, false as has_expression, "
        "70000000::bigint as bytes from pg_class where relname in ('grew', 'same', 'new', 'partial', 'dense')"
    )
    conn.execute("insert into ops.database_snapshots values ('2026-11-06', now(), 'one', null, null, null, 0, 0)")
    conn.execute(
        "insert into ops.database_index_snapshots select '2026-11-06', schema_name, index_name, oid, 'keys', "
        "case index_name when 'same' then 70000000 else 65000000 end, 0 from audited_indexes where index_name <> 'new'"
    )
    assert _found(conn, "bloated_index") == [
        ("info", "public.grew"),
        ("not_checked", "public.new"),
        ("not_checked", "public.partial"),
    ]
