"""Fills the schema `rooms` with years of a made-up firm's rooms, fast: `benchmarks/rooms_fill.py --messages 2000000`.

Five weeks are made by the sandbox and written by COPY. They are then repeated in the database, five weeks later each
time, under ids of their own, until the years are full: weekdays, hours, talks and histories stay as they were made.
Staff, robots and the staff's rooms are those of the first weeks; customers come anew. The schema is made where it is
not there; it must hold no rooms.
"""

import argparse
import json
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from common import one, today
from psycopg import sql

from dagster_project.settings import Settings
from dagster_project.sources.rooms import schema
from dagster_project.sources.rooms.sandbox.fill import fill
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.tables import SCHEMA, TABLES, Table
from dagster_project.warehouse import connection

WEEKS = timedelta(days=35)
MESSAGES_A_ROOM = 21  # with those of the rooms that a support room is escalated to
# What is there once: the firm itself.
ONCE = ("organizations", "user_roles", "user_presence_changes")
_BESIDE = ("changed_at", "operation_type", "changed_by", "changed_columns")


def main() -> None:
    """Fill, and print what came as JSON."""
    options = _options()
    began = time.monotonic()
    with connection.warehouse(Settings.load()) as warehouse:
        url = options.url or warehouse
        schema.upgrade(url)
        with psycopg.connect(url) as conn:
            rooms = fill_years(conn, options.messages, options.days, options.until, options.seed)
            conn.commit()
            conn.autocommit = True
            conn.execute("vacuum (analyze)")
            counts = {"rooms": rooms, "messages": one(conn, "select count(*) from rooms.messages")[0]}
    print(json.dumps(counts | {"seconds": round(time.monotonic() - began, 1)}))


def fill_years(conn: psycopg.Connection, messages: int, days: int, until: date, seed: int = 7) -> int:
    """Write so many messages, about, over so many days before `until`. Returns how many support rooms were made."""
    repeats = max(1, round(days / WEEKS.days))
    per_day = messages / MESSAGES_A_ROOM / repeats / WEEKS.days
    first = until - repeats * WEEKS
    begins = datetime(first.year, first.month, first.day, tzinfo=UTC)
    firm = Firm(first_day=first, days=WEEKS.days, rooms_per_day=per_day, seed=seed)
    # Talks of the last days are cut off at the end of the five weeks, and so in each repeat: some rooms never end.
    fill(conn, firm, begins + WEEKS)
    conn.execute("select rooms.keep_months(%s, %s)", [first, until + WEEKS])
    conn.execute(
        """
        create temporary table renamed on commit drop as
        select id from rooms.users where account_type_informal in ('guest', 'registered')
        union all select id from rooms.chat_rooms where room_type in ('support', 'escalated')
        union all select id from rooms.messages
        where room_id in (select id from rooms.chat_rooms where room_type in ('support', 'escalated'))
        """
    )
    conn.execute("create unique index on renamed (id)")
    # What is repeated is sound as its original is: neither keys nor triggers need to look at it.
    conn.execute("set local session_replication_role = replica")
    conn.execute("analyze renamed")
    for name, table in TABLES.items():
        if name not in ONCE:
            _repeat(conn, table, repeats, name)
    conn.execute("select rooms.fill_room_months()")
    return one(conn, "select count(*) from rooms.chat_rooms where room_type = 'support'")[0]


def _repeat(conn: psycopg.Connection, table: Table, repeats: int, name: str) -> None:
    """Write the first weeks' rows of customers' rooms again and again, later each time; then those of their history."""
    for target, columns in ((name, list(table.columns)), (table.history, [*_BESIDE, *table.history_columns])):
        if target == table.history and not table.keeps_history:
            continue
        own = {"users": "id", "chat_rooms": "id", "messages": "id"}.get(name)
        owner = own or next(column for column in ("room_id", "message_id", "source_room_id") if column in table.columns)
        statement = sql.SQL(
            "insert into {target} ({columns}) select {values} from {target} as made "
            "cross join generate_series(1, %(last)s) as again where made.{owner} in (select id from renamed)"
        ).format(
            target=sql.Identifier(SCHEMA, target),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            values=sql.SQL(", ").join(_again(table, column) for column in columns),
            owner=sql.Identifier(owner),
        )
        conn.execute(statement, {"last": repeats - 1, "weeks": WEEKS})


def _again(table: Table, column: str) -> sql.Composable:
    """A column's value in a repeat: times move on, ids are others for what is made anew, unique texts get a number."""
    name = sql.Identifier("made", column)
    kind = "timestamptz" if column == "changed_at" else table.columns[column].type if column in table.columns else ""
    if kind == "timestamptz":
        return sql.SQL("{} + again * %(weeks)s").format(name)
    if kind == "uuid" and (column != "id" or table.name in ("users", "chat_rooms", "messages")):
        return sql.SQL(
            "case when {name} in (select id from renamed) then md5({name}::text || again)::uuid else {name} end"
        ).format(name=name)
    if kind == "uuid":
        return sql.SQL("md5({}::text || again)::uuid").format(name)
    if table.name == "users" and column in ("username", "email"):
        return sql.SQL("again || '.' || {}").format(name)
    return name


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fill the schema rooms with a made-up firm's years.")
    parser.add_argument("--messages", type=int, default=2_000_000, help="about so many (default: 2000000)")
    parser.add_argument("--days", type=int, default=1826, help="days of history (default: 1826, five years)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed makes the same rows (default: 7)")
    parser.add_argument("--until", type=date.fromisoformat, default=today(), help="the day after the last one")
    parser.add_argument("--url", help="the database (default: the warehouse of the settings)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
