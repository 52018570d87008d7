"""Tables as JSON Lines: an object a row, as Postgres writes it, instants in ISO 8601 with the zone's offset."""

from typing import BinaryIO

import psycopg
from psycopg import sql

from dagster_project.exports.formats.format import Format, Options, WriteResult
from dagster_project.exports.tables.table import Table

_BATCH_ROWS = 5_000


def write(conn: psycopg.Connection, out: BinaryIO, table: Table, options: Options) -> WriteResult:
    """Write a table, constant in memory; a value that is not there is null."""
    columns, rows = table.columns(conn), 0
    conn.execute("select set_config('timezone', %s, true)", [options.zone])
    with conn.cursor(name="b2chat_export") as cursor:
        cursor.itersize = _BATCH_ROWS
        cursor.execute(sql.SQL("select row_to_json(rows)::text from ({}) as rows").format(table.query), table.values)
        for (line,) in cursor:
            out.write(line.encode() + b"\n")
            rows += 1
    return WriteResult(rows, [(column.name, column.postgres_type) for column in columns], table.notes)


JSON_LINES = Format(
    name="jsonl",
    title="JSON Lines",
    about="for programs, an object a row",
    suffix="jsonl",
    media_type="application/jsonl",
    table=write,
)
