"""Tables that are more than the rows of one mart: chats, KPIs, conversations in rooms."""

import psycopg
from psycopg import sql

from dagster_project.exports.i18n.language import Language
from dagster_project.exports.tables.table import Filters, Table, columns_of, condition, require, values_of
from dagster_project.warehouse import seeds

_OF_PATHS = (
    *("path", "step_count", "resolved_level", "total_seconds", "handover_seconds_sum"),
    *("t1_seconds", "t2_seconds", "t3_seconds", "manager_seconds"),
)


def chats(conn: psycopg.Connection, filters: Filters, language: Language) -> Table:
    """A row per chat that is not deleted: its times, and what it was categorized as, with who categorized it.

    What a person said of a chat is in the columns `final_…`; where nobody looked, they repeat the machine's.

    Raises:
        NothingToExport: the marts are not built.
    """
    require(conn, "marts.chat_response_times")
    columns = [
        sql.SQL("chats.{}").format(sql.Identifier(name))
        for name in columns_of(conn, "chat_response_times")
        if name != "is_deleted"
    ]
    query = sql.SQL("""
        select
            {columns},
            categories.state as categorization_state,
            categories.customer_intent, categories.journey_stage, categories.sentiment,
            categories.agent_quality_score, categories.confidence_score, categories.{badge} as classified_by,
            categories.final_intent, categories.final_stage, categories.final_sentiment,
            categories.final_agent_quality_score, categories.final_source
        from marts.chat_response_times as chats
        left join marts.chat_categories as categories on categories.chat_id = chats.chat_id
        where not chats.is_deleted and {condition}
    """).format(
        columns=sql.SQL(", ").join(columns),
        badge=sql.Identifier(f"classified_by_{language}"),
        condition=condition(filters, "chats", "created_local_date"),
    )
    marts = ("chat_response_times", "chat_categories")
    return Table("chats", marts, query, values_of(filters), ("created_at", "chat_id"))


def kpis(conn: psycopg.Connection, filters: Filters, _language: Language) -> Table:
    """A row per metric, day and scope (all, an agent, department, channel, source or direction) of marts.kpi_daily.

    With agents, departments or channels, their rows alone.

    Raises:
        NothingToExport: the marts are not built.
    """
    require(conn, "marts.kpi_daily")
    narrowed = bool(filters.agents or filters.departments or filters.channels)
    query = sql.SQL("""
        select
            kinds.metric_type,
            metric as metric_name,
            value,
            case when scope = 'agent' then scope_id end as agent_id,
            case when scope = 'department' then scope_id end as department_id,
            kinds.category,
            unit, count, scope, scope_id, local_date as date
        from marts.kpi_daily as days
        left join unnest(%(metrics)s::text[], %(metric_types)s::text[], %(categories)s::text[])
            as kinds (metric, metric_type, category) using (metric)
        where {days} and (
            {everything}
            or (scope = 'agent' and scope_id = any(%(agents)s))
            or (scope = 'department' and scope_id = any(%(departments)s))
            or (scope = 'channel' and scope_id = any(%(channels)s))
        )
    """).format(days=condition(Filters(), "days", "local_date"), everything=sql.Literal(not narrowed))
    known = seeds.rows("kpi_metrics")
    kinds = {
        "metrics": [row["metric"] for row in known],
        "metric_types": [row["metric_type"] for row in known],
        "categories": [row["category"] for row in known],
    }
    return Table(
        "kpis", ("kpi_daily",), query, values_of(filters) | kinds, ("date", "scope", "scope_id", "metric_name")
    )


def rooms(conn: psycopg.Connection, filters: Filters, _language: Language) -> Table:
    """A row per conversation in rooms that is not deleted: its times, and its way through the levels of support.

    Raises:
        NothingToExport: the marts are not built.
    """
    require(conn, "marts.room_response_times")
    own = [name for name in columns_of(conn, "room_response_times") if name != "is_deleted"]
    query = sql.SQL("""
        select {own}, {paths}
        from marts.room_response_times as chats
        left join marts.escalation_paths as paths on paths.conversation_id = chats.chat_id
        where not chats.is_deleted and {condition}
    """).format(
        own=sql.SQL(", ").join(sql.SQL("chats.{}").format(sql.Identifier(name)) for name in own),
        paths=sql.SQL(", ").join(sql.SQL("paths.{}").format(sql.Identifier(name)) for name in _OF_PATHS),
        condition=condition(filters, "chats", "created_local_date"),
    )
    marts = ("room_response_times", "escalation_paths")
    return Table("rooms", marts, query, values_of(filters), ("created_at", "chat_id"))
