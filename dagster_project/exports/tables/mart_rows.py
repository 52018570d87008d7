"""Tables that are the rows of one mart: those that the filters leave, or all of them."""

import psycopg
from psycopg import sql

from dagster_project.exports.i18n.language import Language
from dagster_project.exports.tables.table import (
    Filters,
    Make,
    NothingToExport,
    Table,
    columns_of,
    condition,
    require,
    values_of,
)
from dagster_project.warehouse.directory import NOTHING_YET


def rows_of(
    mart: str,
    *,
    order: tuple[str, ...],
    name: str | None = None,
    day: str | None = "local_date",
    departments: str = "department_id",
    scope: str | None = None,
    where: str | None = None,
    without: str | None = None,
) -> Make:
    """What makes a table of the rows of a mart, with all its columns but our own bookkeeping.

    Args:
        order: the columns by which people read its rows.
        name: of the table; the mart's own by default.
        day: the mart's column of local days; None where it has none.
        departments: its column of what the filter calls departments.
        scope: the scope whose members these are, where the mart has several: with departments, its rows alone.
        where: an SQL condition that each row meets; None where all rows are meant.
        without: a column that says nothing once the condition holds.
    """

    def make(conn: psycopg.Connection, filters: Filters, _language: Language) -> Table:
        require(conn, f"marts.{mart}")
        conditions = [condition(filters, mart, day, departments=departments)]
        if scope and filters.departments:
            conditions.insert(0, sql.SQL("scope = {}").format(sql.Literal(scope)))
        if where:
            conditions.insert(0, sql.SQL(where))
        query = sql.SQL("select {} from {} where {}").format(
            sql.SQL(", ").join(sql.Identifier(column) for column in columns_of(conn, mart) if column != without),
            sql.Identifier("marts", mart),
            sql.SQL(" and ").join(conditions),
        )
        return Table(name or mart, (mart,), query, values_of(filters), order)

    return make


def whole_mart(conn: psycopg.Connection, name: str) -> Table:
    """A whole mart, as it is.

    Args:
        conn: the warehouse.
        name: of a table or view in the schema marts.

    Raises:
        NothingToExport: there is none of that name.
    """
    names = columns_of(conn, name)
    if not names:
        raise NothingToExport(f"there is no mart of that name; {_marts(conn)}")
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return Table(name, (name,), sql.SQL("select {} from {}").format(columns, sql.Identifier("marts", name)))


def _marts(conn: psycopg.Connection) -> str:
    rows = conn.execute("""
        select relname from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = 'marts' and relkind in ('r', 'v', 'p') order by 1
    """).fetchall()
    return "there are " + ", ".join(row[0] for row in rows) if rows else NOTHING_YET
