"""A table as an Excel workbook: its rows on one sheet, and `Léame`, which says what they and their columns are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO

import psycopg
from psycopg import sql

from dagster_project.exports.formats.excel_file import MOST_ROWS, Book, Head, Kind
from dagster_project.exports.i18n.wording import Language, Wording
from dagster_project.exports.i18n.workbook_texts import TEXTS
from dagster_project.exports.report.workbook import write_readme
from dagster_project.exports.service import ExportFailed, Written
from dagster_project.exports.tables.definitions import Column, Table
from dagster_project.exports.tables.definitions import Kind as ColumnKind
from dagster_project.warehouse import data_source
from dagster_project.warehouse.connection import has_relation

_AT_ONCE = 5_000  # rows
_KINDS: dict[ColumnKind, Kind] = {
    "text": "text",
    "integer": "whole",
    "decimal": "decimal",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "instant",
}


def write(
    conn: psycopg.Connection,
    out: BinaryIO,
    table: Table,
    *,
    language: Language,
    zone: str,
    made_at: datetime,
    filters: Mapping[str, Any],
) -> Written:
    """Write a table, constant in memory.

    Args:
        conn: the warehouse, in the transaction that the table is to be read in.
        out: the file.
        table: what to write.
        language: of `Léame`; the columns keep their names.
        zone: the account's time zone, in which instants are shown.
        made_at: the time that the workbook names as its own.
        filters: what the rows were chosen by, for `Léame`.

    Raises:
        ExportFailed: there are more rows than a sheet holds.
    """
    words, place = Wording(language), 0 if language == "es" else 1
    columns = table.columns(conn)
    demo = words.text("demo") if data_source.is_demo(conn) else ""
    book = Book(out, title=words.title(table.name, is_demo=bool(demo)), zone=zone, made_at=made_at, demo=demo)
    readme = book.sheet(TEXTS["sheet.readme"][place])
    _rows(conn, book, table, columns, TEXTS["sheet.data"][place])
    data_through = _data_through(conn, table)
    lines = [
        (table.name, ", ".join(f"marts.{name}" for name in table.marts)),
        *([(demo.capitalize(), words.text("demo.value"))] if demo else []),
        (words.text("filter"), "; ".join(f"{name}: {value}" for name, value in filters.items()) or "-"),
        *((name, str(value)) for name, value in table.notes.items()),
        (words.text("data_through"), words.instant(data_through, zone)),
        (words.text("generated_at"), words.instant(made_at, zone)),
        (words.text("timezone"), zone),
        (TEXTS["readme.rows"][place], words.number(book.rows)),
        (TEXTS["readme.formulas"][place], TEXTS["readme.formulas.value"][place]),
        (TEXTS["readme.cut"][place], TEXTS["readme.cut.value"][place].format(count=book.cut_cells)),
        (words.text("notes.definitions"), ""),
        *_definitions(conn, table, columns),
    ]
    write_readme(book, readme, TEXTS["readme.topic"][place], TEXTS["readme.value"][place], lines)
    book.close()
    return Written(
        book.rows,
        [(column.name, column.postgres_type) for column in columns],
        {**table.notes, "data_through": data_through, "cells_cut": book.cut_cells},
    )


def _rows(conn: psycopg.Connection, book: Book, table: Table, columns: list[Column], name: str) -> None:
    query = sql.SQL("select * from ({}) as rows").format(table.query)
    if table.order:
        query += sql.SQL(" order by {}").format(sql.SQL(", ").join(map(sql.Identifier, table.order)))
    query += sql.SQL(" limit {}").format(MOST_ROWS + 1)
    with conn.cursor(name="b2chat_export") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(query, table.values)
        book.table(book.sheet(name), [Head(column.name, _KINDS[column.kind]) for column in columns], cursor)
    if book.rows > MOST_ROWS:
        raise ExportFailed(f"an Excel sheet holds {MOST_ROWS:,} rows, and these are more: narrow them, or use csv")


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
