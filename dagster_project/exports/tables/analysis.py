"""The KPIs of a customer analysis as a table, and what must be said of them."""

from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from dagster_project.exports.i18n.language import Language
from dagster_project.exports.tables.table import NothingToExport, Table
from dagster_project.warehouse.connection import has_relation


def analysis_kpis(conn: psycopg.Connection, analysis_id: str, language: Language) -> Table:
    """A row per KPI of an analysis, with who categorized where the number rests on that.

    Raises:
        NothingToExport: there is no such analysis, or its KPIs are not built.
    """
    notes = analysis_notes(conn, analysis_id)
    query = sql.SQL("""
        select
            metric_type, metric_name, value, agent_id, department_id, category, member, unit, count, scope,
            {badge} as classified_by
        from marts.analysis_kpis
        where analysis_id = %(analysis_id)s
    """).format(badge=sql.Identifier(f"classified_by_{language}"))
    order = ("scope", "agent_id", "department_id", "metric_type", "metric_name", "member")
    return Table("analysis", ("analysis_kpis",), query, {"analysis_id": analysis_id}, order, notes)


def analysis_notes(conn: psycopg.Connection, analysis_id: str) -> dict[str, Any]:
    """What must be said of an analysis' numbers: their chats, how many of them, how far they are categorized.

    Raises:
        NothingToExport: there is no such analysis, or it has no numbers.
    """
    if not has_relation(conn, "marts.analysis_kpis"):
        raise NothingToExport("the KPIs of analyses are not built: run `b2chat build`")
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            """
            select status, filters, sample_rate, classifier_version, is_llm, chats_in_filter, total_chats_analyzed,
                   categorized_count, skipped_count, pending_count, completed_at
            from analysis.customer_analyses where id = %s
            """,
            [analysis_id],
        ).fetchone()
    if not found:
        raise NothingToExport(f"there is no analysis {analysis_id}")
    if found["status"] not in ("COMPLETED", "PARTIAL"):
        raise NothingToExport(f"analysis {analysis_id} is {found['status']}: it has no numbers to export")
    return found
