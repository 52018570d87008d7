"""Writes a ledger's rows and history into the schema `rooms`: COPY for what is new, one statement a table for the rest.

The triggers would stamp everything with the time of writing. Inserts leave the times as they are given; where rows
that are there already change, their tables' triggers are off for that transaction, and writers of them wait for it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg import sql

from dagster_project.sources.rooms.ledger import Key, Ledger, Row
from dagster_project.sources.rooms.tables import SCHEMA, TABLES, Table

# Of those whom rows name, or who take part where these were written, the erased: as rooms.erase_user leaves them.
_ERASE = """
    select count(*) from rooms.users cross join lateral rooms.erase_user(users.id)
    where users.username = 'erased-' || users.id::text and users.id in (
        select unnest(%(ids)s::uuid[])
        union
        select seat.user_id from rooms.room_participants as seat
        where seat.room_id in (
            select unnest(%(ids)s::uuid[])
            union
            select messages.room_id from rooms.messages where messages.id = any(%(ids)s::uuid[])
        )
    )
"""
_BESIDE = ("history_id", "changed_at", "operation_type", "changed_by", "changed_columns")


def write(conn: psycopg.Connection, ledger: Ledger) -> dict[str, int]:
    """Write all that the ledger holds and the database does not, in the caller's transaction.

    Args:
        conn: of an owner of the schema.

    Returns:
        the rows written, by table and history table; those that changed or went are counted by their history.
    """
    keep_months(conn, _instants(ledger))
    written = {}
    for name, table in TABLES.items():
        stored = ledger.stored[name]
        new = [row for key, row in ledger.rows[name].items() if key not in stored]
        written[name] = _copy(conn, table.name, list(table.columns), new)
        if ledger.changed[name] or ledger.removed[name]:
            _change(conn, table, ledger)
        if table.keeps_history:
            columns = [*_BESIDE, *table.history_columns]
            written[table.history] = _copy(conn, table.history, columns, ledger.history[name])
    return written


def erase_again(conn: psycopg.Connection, ledger: Ledger) -> None:
    """Take from what was written what is of people who were erased: another system's history still has it."""
    rows = (row for rows in ledger.rows.values() for row in rows.values())
    ids = {row[name] for row in rows for name in row if name.endswith("id") and name not in ("issue_id", "robot_id")}
    conn.execute(_ERASE, {"ids": list(ids - {None})})


def keep_months(conn: psycopg.Connection, instants: Iterable[datetime]) -> None:
    """Make the months of these instants in every monthly table, and all between them."""
    months = {instant.astimezone(UTC).date() for instant in instants}
    if months:
        conn.execute("select rooms.keep_months(%s, %s)", [min(months), max(months)])


def remember(conn: psycopg.Connection, ledger: Ledger, table: str, keys: Iterable[Key]) -> None:
    """Take the rows of these keys, and the ids of their history, from the database into a ledger that lacks them."""
    spec = TABLES[table]
    wanted = [key for key in set(keys) if key not in ledger.rows[table]]
    if not wanted:
        return
    names = {"table": _name(table), "history": _name(spec.history), "key": _list(spec.key)}
    given = [[_plain(key[place]) for key in wanted] for place in range(len(spec.key))]
    types = _types(spec)
    found = conn.execute(
        sql.SQL("select {columns} from {table} where ({key}) in (select * from unnest({types}))").format(
            columns=_list(spec.columns), types=types, **names
        ),
        given,
    )
    for values in found:
        ledger.remember(table, {name: _read(value) for name, value in zip(spec.columns, values, strict=True)})
    if spec.keeps_history:
        known = conn.execute(
            sql.SQL("select history_id from {history} where ({key}) in (select * from unnest({types}))").format(
                types=types, **names
            ),
            given,
        )
        ledger.known_history |= {str(identity) for (identity,) in known}


def keys_beside(conn: psycopg.Connection, table: str, messages: Sequence[str]) -> list[Key]:
    """The keys of a table's rows that lie beside these messages."""
    if not messages:
        return []
    statement = sql.SQL("select id from {} where message_id = any(%s::uuid[])").format(_name(table))
    return [(str(identity),) for (identity,) in conn.execute(statement, [list(messages)])]


def _change(conn: psycopg.Connection, table: Table, ledger: Ledger) -> None:
    changed = [ledger.rows[table.name][key] for key in ledger.changed[table.name]]
    removed = [dict(zip(table.key, key, strict=True)) for key in ledger.removed[table.name]]
    names = {"table": _name(table.name), "key": _list(table.key)}
    conn.execute(sql.SQL("alter table {table} disable trigger user").format(**names))
    conn.execute(sql.SQL("create temporary table arrived (like {table}) on commit drop").format(**names))
    conn.execute("alter table arrived alter row_xid set default pg_current_xact_id()::text::bigint")
    _copy(conn, None, list(table.columns), changed)
    others = [name for name in [*table.columns, "row_xid"] if name not in table.key]
    conn.execute(
        sql.SQL("update {table} set ({others}) = (select {arrived}) from arrived where ({own}) = ({theirs})").format(
            table=names["table"],
            others=_list(others),
            arrived=_list(others, "arrived"),
            own=_list(table.key, table.name),
            theirs=_list(table.key, "arrived"),
        )
    )
    conn.execute("drop table arrived")
    if removed:
        types = _types(table)
        conn.execute(
            sql.SQL("delete from {table} where ({key}) in (select * from unnest({types}))").format(
                types=types, **names
            ),
            [[_plain(row[column]) for row in removed] for column in table.key],
        )
    conn.execute(sql.SQL("alter table {table} enable trigger user").format(**names))


def _copy(conn: psycopg.Connection, table: str | None, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """COPY rows into a table, None: the temporary one of a change. Returns how many."""
    if not rows:
        return 0
    name = _name(table) if table else sql.Identifier("arrived")
    statement = sql.SQL("copy {} ({}) from stdin").format(name, _list(columns))
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([_plain(row[column]) for column in columns])
    return len(rows)


def _instants(ledger: Ledger) -> Iterable[datetime]:
    for table in TABLES.values():
        if table.month:
            for row in ledger.rows[table.name].values():
                yield row[table.month]
        if table.keeps_history:
            for row in ledger.history[table.name]:
                yield row["changed_at"]


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else value  # an event has objects alone


def _read(value: Any) -> Any:
    """A value of the database as events have it: ids are texts."""
    return value if value is None or isinstance(value, (bool, int, dict, list, datetime, date)) else str(value)


def _types(table: Table) -> sql.Composed:
    """A place for the values of each column of a table's key."""
    kinds = ("timestamptz" if table.columns[column].type == "timestamptz" else "uuid" for column in table.key)
    return sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(kind)) for kind in kinds)


def _name(table: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, table)


def _list(columns: Iterable[str], of: str | None = None) -> sql.Composed:
    names = (sql.Identifier(of, column) if of else sql.Identifier(column) for column in columns)
    return sql.SQL(", ").join(names)
