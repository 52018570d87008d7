"""Tables as CSV, streamed out of Postgres as it makes them: a row at a time, whatever the number of rows.

`csv` is for machines: RFC 4180, UTF-8, instants in ISO 8601, a dot for decimals. `csv-excel` is what a double click
opens in an Excel of the reader's language: a BOM, titles, minutes, local times, in Spanish `;` between cells and a
comma for decimals; and no text that it would run or change.
"""

from typing import BinaryIO

import psycopg
from psycopg import sql

from dagster_project.exports.formats import csv_sections
from dagster_project.exports.formats.format import Format, WriteResult
from dagster_project.exports.formats.spreadsheet import BOM, DECIMAL_SEPARATORS, DELIMITERS, GUARDED
from dagster_project.exports.i18n.catalogue import group
from dagster_project.exports.i18n.column_titles import is_other_language, title
from dagster_project.exports.i18n.language import Language, place_of
from dagster_project.exports.tables.table import Column, Table

_BATCH_ROWS = 2000


def write(conn: psycopg.Connection, out: BinaryIO, table: Table, *, excel: Language | None, zone: str) -> WriteResult:
    """Write a table, constant in memory.

    Args:
        conn: the warehouse, in the transaction that the table is to be read in.
        out: the file.
        table: what to write.
        excel: the language of the reader of csv-excel, whose rows come in the table's order; None for csv.
        zone: the account's time zone, in which instants are written.
    """
    columns = table.columns(conn)
    conn.execute("select set_config('timezone', %s, true)", [zone])
    heads, delimiter = [column.name for column in columns], ","
    if excel:
        columns = [column for column in columns if not is_other_language(column.name, excel)]
        heads, delimiter = [title(column.name, excel) for column in columns], DELIMITERS[excel]
        shown = _for_excel(columns, excel, _guarded(conn, table, columns))
    else:
        shown = [_for_machines(column) for column in columns]
    query = sql.SQL("select {} from ({}) as rows").format(sql.SQL(", ").join(shown), table.query)
    if excel and table.order:
        query += sql.SQL(" order by {}").format(
            sql.SQL(", ").join(sql.Identifier("rows", name) for name in table.order)
        )
    out.write((BOM if excel else b"") + delimiter.join(map(_quoted, heads)).encode() + b"\r\n")
    statement = sql.SQL("copy ({}) to stdout (format csv, delimiter {})").format(query, sql.Literal(delimiter))
    rows = _stream(conn, out, statement, table)
    types = [column.postgres_type for column in columns]
    return WriteResult(rows, list(zip(heads, types, strict=True)), table.notes)


def _stream(conn: psycopg.Connection, out: BinaryIO, statement: sql.Composed, table: Table) -> int:
    """The rows as Postgres sends them, one each time, their ends made CRLF; returns how many."""
    rows, lines = 0, []
    with conn.cursor() as cursor, cursor.copy(statement, table.values) as copy:
        for line in copy:
            lines.append(bytes(line[:-1]))
            if len(lines) == _BATCH_ROWS:
                rows += _BATCH_ROWS
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


def _guarded(conn: psycopg.Connection, table: Table, columns: list[Column]) -> set[str]:
    """The columns of texts of which a spreadsheet would change one: all of a column are then kept by an apostrophe."""
    texts = [column.name for column in columns if column.kind == "text"]
    if not texts:
        return set()
    looks = sql.SQL(", ").join(
        sql.SQL("bool_or({}::text ~ {})").format(sql.Identifier(name), sql.Literal(GUARDED.replace("%", "%%")))
        for name in texts
    )
    found = conn.execute(sql.SQL("select {} from ({}) as rows").format(looks, table.query), table.values).fetchone()
    return {name for name, is_changed in zip(texts, found or (), strict=True) if is_changed}


def _quoted(head: str) -> str:
    return f'"{head}"' if "," in head or ";" in head else head


def _for_excel(columns: list[Column], language: Language, guarded: set[str]) -> list[sql.Composable]:
    has_units = {"value", "unit"} <= {column.name for column in columns}
    return [
        (_with_unit(column, language) if has_units else None) or _shown(column, language, column.name in guarded)
        for column in columns
    ]


def _with_unit(column: Column, language: Language) -> sql.Composable | None:
    """A value that its row's unit says how to show, and that unit; None for other columns."""
    if column.name == "value" and column.kind in ("integer", "decimal"):
        value, in_minutes = sql.SQL("round(rows.value::numeric, 4)"), sql.SQL("round(rows.value::numeric / 60, 2)")
        shown = sql.SQL("case rows.unit when 'seconds' then {} else {} end").format(in_minutes, value)
        return _decimal(shown, language)
    if column.name == "unit":
        words = [
            sql.SQL("when {} then {}").format(sql.Literal(unit), sql.Literal(names[place_of(language)]))
            for unit, names in group("csv_unit").items()
        ]
        return sql.SQL("case rows.unit {} else rows.unit end").format(sql.SQL(" ").join(words))
    return None


def _shown(column: Column, language: Language, is_guarded: bool) -> sql.Composable:
    name = sql.Identifier("rows", column.name)
    if column.kind == "timestamp":
        return sql.SQL("to_char({}, 'YYYY-MM-DD HH24:MI:SS')").format(name)
    if column.kind == "boolean":
        words = ("VERDADERO", "FALSO") if language == "es" else ("TRUE", "FALSE")
        return sql.SQL("case {} when true then {} when false then {} end").format(name, *map(sql.Literal, words))
    if column.name.endswith("_seconds"):
        return _decimal(sql.SQL("round({}::numeric / 60, 2)").format(name), language)
    if column.kind == "decimal":
        return _decimal(sql.SQL("round({}::numeric, 4)").format(name), language)
    if is_guarded:
        return sql.SQL("{} || nullif({}::text, '')").format(sql.Literal("'"), name)
    return name


def _decimal(number: sql.Composable, language: Language) -> sql.Composable:
    return sql.SQL("replace(trim_scale({})::text, '.', {})").format(number, sql.Literal(DECIMAL_SEPARATORS[language]))


CSV = Format(
    name="csv",
    title="CSV",
    about="for programs",
    suffix="csv",
    media_type="text/csv; charset=utf-8",
    table=lambda conn, out, table, options: write(conn, out, table, excel=None, zone=options.zone),
    sections=lambda out, rows, options: csv_sections.write(out, rows, excel=None),
)
CSV_EXCEL = Format(
    name="csv-excel",
    title="CSV for Excel",
    about="opens in an Excel of the export's language",
    suffix="csv",
    media_type="text/csv; charset=utf-8",
    table=lambda conn, out, table, options: write(conn, out, table, excel=options.language, zone=options.zone),
    sections=lambda out, rows, options: csv_sections.write(out, rows, excel=options.language),
)
