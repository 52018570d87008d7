"""All tables that dbt builds, compared as a whole: what one build made with what another did."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

SCHEMAS = ["intermediate", "core", "marts"]
_TABLES = """
    select schemaname, tablename from pg_tables
    where schemaname = any(%s) order by 1, 2
"""


def keep(url: str) -> None:
    """Put a copy of each table aside, for `differences`."""
    with psycopg.connect(url) as conn:
        conn.execute("drop schema if exists kept cascade")
        conn.execute("create schema kept")
        for schema, table in conn.execute(_TABLES, [SCHEMAS]).fetchall():
            conn.execute(
                sql.SQL("create table {} as table {}").format(
                    sql.Identifier("kept", f"{schema}.{table}"), sql.Identifier(schema, table)
                )
            )


def differences(url: str, leaving_out: Mapping[str, set[str]]) -> list[str]:
    """What differs from the tables put aside: a line for each table with other rows, or for one that came or went.

    Args:
        url: the database.
        leaving_out: by table (`schema.table`), the columns that may differ.
    """
    with psycopg.connect(url) as conn:
        kept = {row[1] for row in conn.execute(_TABLES, [["kept"]])}
        now = {f"{schema}.{table}" for schema, table in conn.execute(_TABLES, [SCHEMAS])}
        found = [f"{table} is in one build only" for table in sorted(kept ^ now)]
        for table in sorted(kept & now):
            gone, new = _counts(conn, table, leaving_out.get(table, set()))
            if gone or new:
                found.append(f"{table}: {gone} rows are gone, {new} are new")
        conn.execute("drop schema kept cascade")
    return found


def written(url: str) -> dict[str, tuple[int, ...]]:
    """By table of raw and of what dbt builds: the rows inserted, changed and deleted since the database stands."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("select pg_stat_force_next_flush()")
        conn.execute("select pg_stat_clear_snapshot()")
        rows = conn.execute(
            """
            select schemaname || '.' || relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables
            where schemaname = any(%s) order by 1
            """,
            [["raw", *SCHEMAS]],
        ).fetchall()
    return {row[0]: row[1:] for row in rows}


def _counts(conn: psycopg.Connection[Any], table: str, leaving_out: set[str]) -> tuple[int, int]:
    schema, name = table.split(".")
    columns = [
        row[0]
        for row in conn.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
            [f'{schema}."{name}"'],
        )
        if row[0] not in leaving_out
    ]
    chosen = sql.SQL(", ").join(map(sql.Identifier, columns))
    before = sql.SQL("select {} from {}").format(chosen, sql.Identifier("kept", table))
    after = sql.SQL("select {} from {}").format(chosen, sql.Identifier(schema, name))
    count = sql.SQL("select count(*) from ({} except all {}) as rows")
    one, other = (conn.execute(count.format(*pair)).fetchone() for pair in ((before, after), (after, before)))
    return (one or (0,))[0], (other or (0,))[0]
