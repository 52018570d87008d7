"""What the UI shows of a table or view that dbt built: rows, how far its data goes, and, of marts, their first rows."""

import logging
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import dagster as dg
import psycopg
from psycopg import sql

from dagster_project.orchestration.assets.heatmap import thumbnail
from dagster_project.orchestration.ui import markdown
from dagster_project.warehouse.connection import has_relation

PREVIEW_ROWS, PREVIEW_KEYS, PREVIEW_NUMBERS, CELL_CHARACTERS = 5, 4, 4, 28
NUMBERS = {20, 21, 23, 700, 701, 1700}  # Postgres' oids of smallint to numeric
MAX_COUNTED, TIMEOUT = 100_000, "300ms"

WEEKLY_HEATMAP = ("marts", "weekly_response_time_heatmap")

Metadata = dict[str, dg.MetadataValue]

log = logging.getLogger(__name__)


def look(conn: psycopg.Connection, schema: str, name: str) -> Metadata:
    """What the UI shows of a relation that was built; a look that fails is not worth a failed build.

    Args:
        conn: in autocommit.
    """
    try:
        found = of_table(conn, schema, name)
        if (schema, name) == WEEKLY_HEATMAP and (picture := thumbnail(conn)):
            found["heatmap"] = picture
    except psycopg.Error as error:
        log.warning("no metadata of %s: %s", name, type(error).__name__)
        return {}
    return found


def of_table(conn: psycopg.Connection, schema: str, name: str) -> Metadata:
    """Metadata of one relation of core or marts; nothing for any other.

    Args:
        conn: in autocommit, so that a query that fails leaves nothing behind.
    """
    if schema not in {"core", "marts"} or not has_relation(conn, f"{schema}.{name}"):
        return {}
    metadata = rows_of(conn, schema, name)
    if schema == "marts":
        metadata |= _freshness(conn, name) | _preview(conn, sql.Identifier(schema, name))
    return metadata


def rows_of(conn: psycopg.Connection, schema: str, name: str) -> Metadata:
    """How many rows a relation has: counted up to `MAX_COUNTED`; of a table that has more, or is slow, `rows_about`.

    Args:
        conn: in autocommit.
    """
    counted = _count_rows(conn, sql.Identifier(schema, name))
    if counted is not None:
        return {"dagster/row_count": dg.MetadataValue.int(counted)}
    # The planner's guess at a view may be far off, and of a table that was never analyzed it has none.
    planned = conn.execute(
        "select reltuples::bigint from pg_class where oid = to_regclass(%s) and relkind in ('r', 'p') "
        "and reltuples >= 0",
        [f"{schema}.{name}"],
    ).fetchone()
    return {"rows_about": dg.MetadataValue.int(planned[0])} if planned else {}


def rows_told(metadata: Mapping[str, dg.MetadataValue]) -> str | None:
    """The rows of a relation in words, from its metadata; None where they are not known."""
    if counted := metadata.get("dagster/row_count"):
        return f"{counted.value:,} rows"
    about = metadata.get("rows_about")
    return f"about {about.value:,} rows" if about else None


def _count_rows(conn: psycopg.Connection, relation: sql.Identifier) -> int | None:
    """The rows of a relation that are quickly counted; None for others."""
    limited = sql.SQL("select count(*) from (select from {} limit {}) as rows").format(relation, MAX_COUNTED + 1)
    found = _ask(conn, limited)
    count = int(found[1][0][0]) if found else None
    return None if count is None or count > MAX_COUNTED else count


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

    In no transaction: a time-out that comes a moment late meets the COMMIT, and what follows would find it interrupted.
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
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"
