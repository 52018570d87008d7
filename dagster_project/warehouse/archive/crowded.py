"""Months that leave before their time, because their table is about to be too large (marts.database_projection)."""

from datetime import date

import psycopg

from dagster_project.warehouse import partitions
from dagster_project.warehouse.archive.contract import TABLES
from dagster_project.warehouse.connection import has_relation

TOO_MANY_ROWS = 50_000_000
SOON_DAYS = 60
_EXCESS = """
    select schema_name || '.' || table_name, row_count + daily_row_growth * %(days)s - threshold_row_count
        - coalesce((
            select sum(gone.row_count) from ops.archives as gone
            where gone.table_name = schema_name || '.' || projected.table_name and gone.detached_at >= as_of_date + 1
        ), 0)
    from marts.database_projection as projected
    where threshold_row_count = %(rows)s
        and (state = 'passed' or state = 'projected' and days_left <= %(days)s)
        and daily_row_growth > 0
"""


def months(conn: psycopg.Connection, today: date) -> list[tuple[str, date]]:
    """As many of the oldest months of each table as keep it under 50 million rows for another 60 days.

    The audit of the night says how a table grows. What was taken out since is not counted twice.

    Returns:
        tables and months; those of a table that has to go before another one with it.
    """
    if not has_relation(conn, "marts.database_projection"):
        return []
    found = list[tuple[str, date]]()
    for table, excess in conn.execute(_EXCESS, {"days": SOON_DAYS, "rows": TOO_MANY_ROWS}).fetchall():
        archivable = TABLES.get(table)
        if not archivable or not archivable.least_months or not partitions.is_monthly(conn, table):
            continue
        newest = partitions.months_after(today, -archivable.least_months - 1)
        before = [other for other, one in TABLES.items() if one.goes_with == table]
        for one in partitions.partitions_of(conn, table):
            if excess <= 0 or one.month > newest:
                break
            found += [(name, one.month) for name in (*before, table)]
            excess -= one.rows or 0
    return found
