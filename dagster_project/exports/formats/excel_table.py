"""A table as an Excel workbook: its rows on one sheet, and `Léame`, which says what they and their columns are."""

from datetime import datetime
from typing import BinaryIO

import psycopg
from psycopg import sql

from dagster_project.exports.errors import ExportFailed
from dagster_project.exports.formats.excel_file import MAX_ROWS, Book, Head, Kind
from dagster_project.exports.formats.format import Format, Options, WriteResult
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.book import workbook
from dagster_project.exports.report.book.workbook import write_readme
from dagster_project.exports.tables.table import Column, Table
from dagster_project.exports.tables.table import Kind as ColumnKind
from dagster_project.warehouse import data_source
from dagster_project.warehouse.connection import has_relation

_BATCH_ROWS = 5_000
_KINDS: dict[ColumnKind, Kind] = {
    "text": "text",
    "integer": "whole",
    "decimal": "decimal",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "instant",
}


def write(conn: psycopg.Connection, out: BinaryIO, table: Table, options: Options) -> WriteResult:
    """Write a table, constant in memory; columns keep their names, `Léame` is in the options' language.

    Raises:
        ExportFailed: there are more rows than a sheet holds.
    """
    zone, made_at = options.zone, options.made_at
    words = Wording(options.language)
    columns = table.columns(conn)
    demo = words.text("demo") if data_source.is_demo(conn) else ""
    book = Book(out, title=words.title(table.name, is_demo=bool(demo)), zone=zone, made_at=made_at, demo=demo)
    readme = book.sheet(words.text("sheet.readme"))
    _rows(conn, book, table, columns, words.text("sheet.data"))
    data_through = _data_through(conn, table)
    lines = [
        (table.name, ", ".join(f"marts.{name}" for name in table.marts)),
        *([(demo.capitalize(), words.text("demo.value"))] if demo else []),
        (words.text("filter"), "; ".join(f"{name}: {value}" for name, value in options.filters.items()) or "-"),
        *((name, str(value)) for name, value in table.notes.items()),
        (words.text("data_through"), words.instant(data_through, zone)),
        (words.text("generated_at"), words.instant(made_at, zone)),
        (words.text("timezone"), zone),
        (words.text("readme.rows"), words.number(book.rows)),
        (words.text("readme.formulas"), words.text("readme.formulas.value")),
        (words.text("readme.cut"), words.text("readme.cut.value", count=book.cut_cells)),
        (words.text("notes.definitions"), ""),
        *_definitions(conn, table, columns),
    ]
    write_readme(book, readme, words.text("readme.topic"), words.text("readme.value"), lines)
    book.close()
    return WriteResult(
        book.rows,
        [(column.name, column.postgres_type) for column in columns],
        {**table.notes, "data_through": data_through, "cells_cut": book.cut_cells},
    )


def _rows(conn: psycopg.Connection, book: Book, table: Table, columns: list[Column], name: str) -> None:
    query = sql.SQL("select * from ({}) as rows").format(table.query)
    if table.order:
        query += sql.SQL(" order by {}").format(sql.SQL(", ").join(map(sql.Identifier, table.order)))
    query += sql.SQL(" limit {}").format(MAX_ROWS + 1)
    with conn.cursor(name="b2chat_export") as cursor:
        cursor.itersize = _BATCH_ROWS
        cursor.execute(query, table.values)
        book.table(book.sheet(name), [Head(column.name, _KINDS[column.kind]) for column in columns], cursor)
    if book.rows > MAX_ROWS:
        raise ExportFailed(f"an Excel sheet holds {MAX_ROWS:,} rows, and these are more: narrow them, or use csv")


def _data_through(conn: psycopg.Connection, table: Table) -> datetime | None:
    if not has_relation(conn, "marts.data_freshness"):
        return None
    row = conn.execute(
        "select min(data_through) from marts.data_freshness where mart = any(%s)", [list(table.marts)]
    ).fetchone()
    return row[0] if row else None


def _definitions(conn: psycopg.Connection, table: Table, columns: list[Column]) -> list[tuple[str, str]]:
    """What the database itself says of the columns."""
    rows = conn.execute(
        """
        select attname, col_description(attrelid, attnum) from pg_attribute
        where attrelid = any(
            select to_regclass(format('marts.%%I', name)) from unnest(%s::text[]) as name
        ) and attnum > 0
        """,
        [list(table.marts)],
    ).fetchall()
    known: dict[str, str | None] = dict(rows)
    return [(column.name, " ".join((known.get(column.name) or "").split())) for column in columns]


XLSX = Format(
    name="xlsx",
    title="Excel",
    about="a workbook with what its columns mean",
    suffix="xlsx",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    table=write,
    report=lambda out, data, options: workbook.write(out, data, options.language, options.made_at),
)
