"""What the UI shows of a table or view that dbt built: rows, how far its data goes, and, of marts, their first rows."""

from datetime import date, datetime
from typing import Any

import dagster as dg
import psycopg
from psycopg import sql

from dagster_project.assets import markdown
from dagster_project.warehouse.connection import has_relation

PREVIEW_ROWS, PREVIEW_KEYS, PREVIEW_NUMBERS, CELL_SIGNS = 5, 4, 4, 28
NUMBERS = {20, 21, 23, 700, 701, 1700}  # Postgres' oids of smallint to numeric
MOST_COUNTED, TIMEOUT = 100_000, "300ms"

Metadata = dict[str, dg.MetadataValue]


def of_table(conn: psycopg.Connection, schema: str, name: str) -> Metadata:
    """Metadata of one relation of core or marts; nothing for any other.

    Nothing here reads a whole table: its rows are the planner's; a view that is slow shows no rows.

    Args:
        conn: in autocommit, so that a query that fails leaves nothing behind.
    """
    if schema not in {"core", "marts"}:
        return {}
    found = conn.execute(
        "select relkind::text, greatest(reltuples, 0)::bigint from pg_class where oid = to_regclass(%s)",
        [f"{schema}.{name}"],
    ).fetchone()
    if not found:
        return {}
    kind, planned_rows = found
    relation = sql.Identifier(schema, name)
    metadata: Metadata = {}
    rows = planned_rows if kind == "r" else _counted_rows(conn, relation)
    if rows is not None:
        metadata["dagster/row_count"] = dg.MetadataValue.int(rows)
    if schema == "marts":
        metadata |= _freshness(conn, name) | _preview(conn, relation)
    return metadata


def _counted_rows(conn: psycopg.Connection, view: sql.Identifier) -> int | None:
    """The rows of a view that are quickly counted; None for others, because the planner's guess may be far off."""
    found = _ask(conn, sql.SQL("select count(*) from (select from {} limit {}) as rows").format(view, MOST_COUNTED + 1))
    count = int(found[1][0][0]) if found else None
    return None if count is None or count > MOST_COUNTED else count


def _freshness(conn: psycopg.Connection, mart: str) -> Metadata:
    if not has_relation(conn, "marts.data_freshness"):
        return {}
    row = conn.execute("select data_through from marts.data_freshness where mart = %s", [mart]).fetchone()
    return {"data_through": dg.MetadataValue.timestamp(row[0])} if row and row[0] else {}


def _preview(conn: psycopg.Connection, relation: sql.Identifier) -> Metadata:
    """The first rows as a table. Names are left out and whatever looks like an e-mail is masked: ids and numbers."""
    found = _ask(conn, sql.SQL("select * from {} limit {}").format(relation, PREVIEW_ROWS))
    if not found or not found[1]:
        return {}
    columns, rows = found
    names = [column.name for column in columns]
    fit = [place for place, name in enumerate(names) if not name.endswith(("_name", "_label_es", "_label_en"))]
    keys, others = fit[:PREVIEW_KEYS], fit[PREVIEW_KEYS:]
    shown = keys + [place for place in others if columns[place].type_code in NUMBERS][:PREVIEW_NUMBERS]
    cells = [[_cell(row[place]) for place in shown] for row in rows]
    return {"preview": markdown.table([names[place] for place in shown], cells)}


def _ask(conn: psycopg.Connection, query: sql.Composed) -> tuple[list[psycopg.Column], list[tuple[Any, ...]]] | None:
    """Columns and rows; None when it takes too long.

    In no transaction: a time-out that comes a moment late meets the COMMIT, and what follows would find it broken off.
    """
    try:
        conn.execute(sql.SQL("set statement_timeout = {}").format(TIMEOUT))
        cursor = conn.execute(query)
        return cursor.description or [], cursor.fetchall()
    except psycopg.errors.QueryCanceled:
        return None
    finally:
        conn.execute("reset statement_timeout")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    if "@" in text:
        return "•••"
    return text if len(text) <= CELL_SIGNS else text[: CELL_SIGNS - 1] + "…"
