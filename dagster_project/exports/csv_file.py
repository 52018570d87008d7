"""Tables as CSV, streamed out of Postgres as it makes them: a row at a time, whatever the number of rows.

`csv` is for machines: RFC 4180, UTF-8, instants in ISO 8601, a dot for decimals. `csv-excel` is what a double click
opens in a Spanish Excel: a BOM, `;` between cells, a comma for decimals, local times, and nothing that it would run.
"""

from typing import BinaryIO

import psycopg
from psycopg import sql

from dagster_project.exports.making import Written
from dagster_project.exports.tables import Column, Table

BOM = "\ufeff".encode()
_AT_ONCE = 2000  # rows

# What a spreadsheet takes for a formula, and digits that it would round or cut: kept as text by an apostrophe.
GUARDED = r"^\s*[=+@＝＋－＠-]|^[\t\r\n]|^0[0-9]+$|^[0-9]{16,}$"


def write(conn: psycopg.Connection, out: BinaryIO, table: Table, *, for_excel: bool, zone: str) -> Written:
    """Write a table, constant in memory.

    Args:
        conn: the warehouse, in the transaction that the table is to be read in.
        out: the file.
        table: what to write.
        for_excel: the profile csv-excel instead of csv; rows then come in the table's order.
        zone: the account's time zone, in which instants are written.
    """
    columns = table.columns(conn)
    conn.execute("select set_config('timezone', %s, true)", [zone])
    delimiter = ";" if for_excel else ","
    shown = sql.SQL(", ").join((_for_excel if for_excel else _for_machines)(column) for column in columns)
    query = sql.SQL("select {} from ({}) as rows").format(shown, table.query)
    if for_excel and table.order:
        query += sql.SQL(" order by {}").format(sql.SQL(", ").join(map(sql.Identifier, table.order)))
    out.write((BOM if for_excel else b"") + delimiter.join(column.name for column in columns).encode() + b"\r\n")
    statement = sql.SQL("copy ({}) to stdout (format csv, delimiter {})").format(query, sql.Literal(delimiter))
    rows = _stream(conn, out, statement, table)
    return Written(rows, [(column.name, column.postgres_type) for column in columns], table.notes)


def _stream(conn: psycopg.Connection, out: BinaryIO, statement: sql.Composed, table: Table) -> int:
    """The rows as Postgres sends them, one each time, their ends made CRLF; returns how many."""
    rows, lines = 0, []
    with conn.cursor() as cursor, cursor.copy(statement, table.values) as copy:
        for line in copy:
            lines.append(bytes(line[:-1]))
            if len(lines) == _AT_ONCE:
                rows += _AT_ONCE
                out.write(b"\r\n".join([*lines, b""]))
                lines.clear()
    out.write(b"\r\n".join([*lines, b""]))
    return rows + len(lines)


def _for_machines(column: Column) -> sql.Composable:
    name = sql.Identifier(column.name)
    if column.kind == "timestamp":  # to_json is the cheapest way to ISO 8601 with its T
        return sql.SQL("""btrim(to_json({0})::text, '"') as {0}""").format(name)
    if column.kind == "boolean":
        return sql.SQL("case {0} when true then 'true' when false then 'false' end as {0}").format(name)
    return name


def _for_excel(column: Column) -> sql.Composable:
    name = sql.Identifier(column.name)
    if column.kind == "timestamp":
        return sql.SQL("to_char({0}, 'YYYY-MM-DD HH24:MI:SS') as {0}").format(name)
    if column.kind == "boolean":
        return sql.SQL("case {0} when true then 'VERDADERO' when false then 'FALSO' end as {0}").format(name)
    if column.kind == "decimal":
        return sql.SQL("replace(trim_scale(round({0}::numeric, 4))::text, '.', ',') as {0}").format(name)
    if column.kind == "text":
        return sql.SQL("case when {0}::text ~ {1} then '''' || {0}::text else {0}::text end as {0}").format(
            name, sql.Literal(GUARDED)
        )
    return name
