"""Tables of a website's calls: each call, each visit, hours of coverage, the funnel by day, staffing."""

import psycopg
from psycopg import sql

from dagster_project.exports.tables.definitions import Filters, Table, condition, rows_of


def calls(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per call that is not deleted: its outcome and its times; departments are pools.

    Raises:
        NothingToExport: the marts are not built.
    """
    wanted = sql.SQL("not is_deleted and {}").format(
        condition(filters, "call_times", "created_local_date", departments="pool_id")
    )
    return rows_of(conn, "calls", "call_times", filters, wanted, order=("created_at", "call_id"))


def visits(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per visit of a website, robots too, by the local day on which it began and its first pool.

    Raises:
        NothingToExport: the marts are not built.
    """
    wanted = condition(filters, "visits", "local_date", departments="pool_id")
    return rows_of(conn, "visits", "visits", filters, wanted, order=("started_at", "visit_id"))


def coverage(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per local hour and member of a scope (all, organization, pool); with departments, these pools alone.

    Raises:
        NothingToExport: the marts are not built.
    """
    order = ("local_date", "hour", "scope", "scope_id")
    return rows_of(conn, "coverage", "coverage_hourly", filters, _of_pools("coverage_hourly", filters), order=order)


def funnel(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per day and member of a scope (all, site, pool, country); with departments, these pools alone.

    Raises:
        NothingToExport: the marts are not built.
    """
    order = ("local_date", "scope", "scope_id")
    return rows_of(conn, "funnel", "funnel_daily", filters, _of_pools("funnel_daily", filters), order=order)


def staffing(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per pool, weekday and hour, as the last eight weeks have it; departments are pools.

    Raises:
        NothingToExport: the marts are not built.
    """
    wanted = sql.SQL("pool_id = any(%(departments)s)" if filters.departments else "true")
    order = ("pool_name", "pool_id", "day_of_week", "hour")
    return rows_of(conn, "staffing", "staffing_need", filters, wanted, order=order)


def _of_pools(mart: str, filters: Filters) -> sql.Composable:
    """All members of all scopes, or those pools that are asked for."""
    wanted = condition(filters, mart, "local_date", departments="scope_id")
    return sql.SQL("scope = 'pool' and {}").format(wanted) if filters.departments else wanted
