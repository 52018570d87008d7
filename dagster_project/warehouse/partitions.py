"""Tables in monthly partitions (UTC): which they are, and that each month is there before a row of it comes.

There is no default partition: it would have to be read whole, and locked, for each month that is made. So whoever
writes rows of any month (`keep`) makes that month first; rows of the present find theirs made ahead (`keep_ahead`).
An insert beside all of them is refused by Postgres, which names the month.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial

import psycopg
from psycopg import sql

from dagster_project.warehouse.connection import has_relation

MONTHS_AHEAD = 3
HOT_DAYS = 90  # after these a month is warm: it changes no more but for late records
CHATS, MESSAGES = "raw.b2chat_chats", "core.messages"
AUDIT_LOGS = "ops.audit_logs"
READ = (
    "raw.rooms_messages",
    "raw.rooms_messages_history",
    "raw.rooms_user_presence_changes",
    "raw.calls_call_logs",
    "raw.calls_call_offers",
    "raw.calls_widget_pageviews",
    "raw.calls_agent_sessions",
    "raw.calls_agent_status_changes",
    "raw.calls_funnel_events",
)
# By name, with the column that says the month. dbt makes core.messages, migration 0032 the audit log, 0027 the others.
MONTHLY = {
    CHATS: "created_month",
    "raw.b2chat_chat_versions": "superseded_at",
    "raw.b2chat_contact_versions": "superseded_at",
    MESSAGES: "timestamp",
    "ops.sync_logs": "started_at",
    "ops.error_logs": "timestamp",
    AUDIT_LOGS: "timestamp",
    # As they were read: what grows with each message, call and visit (migration 0041).
    **dict.fromkeys(READ, "row_month"),
}


@dataclass(frozen=True, slots=True)
class Partition:
    """A month of a table. `name` is schema.name; `rows` is Postgres' estimate, None where it has not looked yet."""

    name: str
    month: date
    rows: int | None
    bytes: int


def keep(conn: psycopg.Connection, table: str, months: Iterable[date]) -> int:
    """Make the partitions of these months that are not there. Returns how many were made."""
    schema = table.split(".")[0]
    own = conn.execute("select to_regprocedure(%s) is not null", [f"{schema}.keep_month(regclass, date)"]).fetchone()
    query = sql.SQL("select count(*) filter (where {}(%s::regclass, month)) from unnest(%s::date[]) as month").format(
        sql.Identifier(schema if own == (True,) else "ops", "keep_month")
    )
    row = conn.execute(query, [table, sorted(set(months))]).fetchone()
    return row[0] if row else 0


def keep_ahead(conn: psycopg.Connection) -> int:
    """Make this month and the next three of every monthly table that is there. Returns how many were made."""
    row = conn.execute(
        """
        select count(*) filter (where ops.keep_month(pg_class.oid::regclass, month::date))
        from unnest(%s::text[]) as one (name)
        -- By the catalogue: the loader may not look into schemas that are not its own.
        inner join pg_namespace on nspname = split_part(one.name, '.', 1)
        inner join pg_class on relnamespace = pg_namespace.oid and relname = split_part(one.name, '.', 2)
            and relkind = 'p'
        cross join generate_series(
            date_trunc('month', now() at time zone 'UTC'),
            date_trunc('month', now() at time zone 'UTC') + make_interval(months => %s),
            interval '1 month'
        ) as month
        """,
        [list(MONTHLY), MONTHS_AHEAD],
    ).fetchone()
    return row[0] if row else 0


def keep_source_ahead(conn: psycopg.Connection, schema: str) -> int:
    """Likewise of a source's own schema, by its own function: 0 where it has none. Returns how many were made."""
    function = f"{schema}.keep_partitions(timestamp with time zone)"
    if conn.execute("select to_regprocedure(%s) is null", [function]).fetchone() == (True,):
        return 0
    row = conn.execute(sql.SQL("select {}.keep_partitions()").format(sql.Identifier(schema))).fetchone()
    return row[0] if row else 0


def partitions_of(conn: psycopg.Connection, table: str) -> list[Partition]:
    """The months of a table, oldest first."""
    rows = conn.execute(
        """
        select inhrelid::regclass::text,
            substring(pg_get_expr(relpartbound, inhrelid) from $$FROM \\('(\\d{4}-\\d\\d-\\d\\d)$$)::date,
            nullif(reltuples, -1)::bigint, pg_total_relation_size(inhrelid)
        from pg_inherits inner join pg_class on pg_class.oid = inhrelid
        where inhparent = %s::regclass order by 2
        """,
        [table],
    ).fetchall()
    return [Partition(*row) for row in rows]


def settle(conn: psycopg.Connection) -> int:
    """Vacuum and freeze the months that are warm, once: nothing comes back to read them for their age alone.

    Args:
        conn: in autocommit.

    Returns:
        how many needed it; a month that a late record has changed needs it again.
    """
    settled = 0
    for table in filter(partial(is_monthly, conn), MONTHLY):
        rows = conn.execute(
            r"""
            select inhrelid::regclass::text from pg_inherits inner join pg_class on pg_class.oid = inhrelid
            where inhparent = %s::regclass and relallvisible < pg_relation_size(pg_class.oid) / 8192
                and substring(pg_get_expr(relpartbound, inhrelid) from $$TO \('(\d{4}-\d\d-\d\d)$$)::date
                    <= (now() at time zone 'UTC')::date - %s
            """,
            [table, HOT_DAYS],
        ).fetchall()
        for (name,) in rows:
            conn.execute(sql.SQL("vacuum (freeze, analyze) {}").format(sql.Identifier(*name.split("."))))
        settled += len(rows)
    return settled


def drop_empty_before(conn: psycopg.Connection, table: str, day: date) -> int:
    """Drop the partitions whose last day is before `day` and that hold no row. Returns how many."""
    dropped = 0
    for one in partitions_of(conn, table):
        name = sql.Identifier(*one.name.split("."))
        if months_after(one.month, 1) <= day:
            query = sql.SQL("select exists (select from {})").format(name)
            if conn.execute(query).fetchone() == (False,):
                conn.execute(sql.SQL("drop table {}").format(name))
                dropped += 1
    return dropped


def drop_before(conn: psycopg.Connection, table: str, day: date) -> list[str]:
    """Drop the partitions whose last day is before `day`, with their rows. Returns their names."""
    old = [one.name for one in partitions_of(conn, table) if months_after(one.month, 1) <= day]
    for name in old:
        conn.execute(sql.SQL("drop table {}").format(sql.Identifier(*name.split("."))))
    return old


def is_monthly(conn: psycopg.Connection, table: str) -> bool:
    """Whether a table is there, and in partitions: core.messages is after its next build."""
    if not has_relation(conn, table):
        return False
    return conn.execute("select relkind = 'p' from pg_class where oid = %s::regclass", [table]).fetchone() == (True,)


def months_after(day: date, count: int) -> date:
    """The first day of the month that is so many months after that of `day`; before it, where the count is negative."""
    years, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(years, month + 1, 1)
