"""What can be exported as a table: chats, days of agents, KPIs, an analysis' KPIs, any mart; each one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from dagster_project.exports.i18n.language import Language
from dagster_project.warehouse import seeds
from dagster_project.warehouse.connection import has_relation
from dagster_project.warehouse.directory import NOTHING_YET

Kind = Literal["text", "integer", "decimal", "boolean", "date", "timestamp"]
_KINDS: dict[str, Kind] = {
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "float4": "decimal",
    "float8": "decimal",
    "numeric": "decimal",
    "bool": "boolean",
    "date": "date",
    "timestamptz": "timestamp",
}
_NOT_EXPORTED = {"load_id"}  # our own bookkeeping


class NothingToExport(Exception):
    """What was asked for is not there; the text says what is."""


@dataclass(frozen=True)
class Filters:
    """Which chats: of local days (both included), of ids of agents and departments, of channels; empty is all."""

    first: date | None = None
    last: date | None = None
    agents: Sequence[str] = ()
    departments: Sequence[str] = ()
    channels: Sequence[str] = ()

    def as_values(self) -> dict[str, Any]:
        """As plain values, for the log and the manifest."""
        return {
            name: value
            for name, value in {
                "from": self.first and self.first.isoformat(),
                "to": self.last and self.last.isoformat(),
                "agents": list(self.agents),
                "departments": list(self.departments),
                "channels": list(self.channels),
            }.items()
            if value
        }


@dataclass(frozen=True)
class Column:
    """A column of a table, and Postgres' name of its type."""

    name: str
    kind: Kind
    postgres_type: str


@dataclass(frozen=True)
class Table:
    """A statement, the marts that it reads, the order in which people read its rows, and what to say of it."""

    name: str
    marts: tuple[str, ...]
    query: sql.Composable
    values: Mapping[str, Any] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    def columns(self, conn: psycopg.Connection) -> list[Column]:
        """Its columns, without reading a row."""
        described = conn.execute(sql.SQL("select * from ({}) as rows limit 0").format(self.query), self.values)
        return [
            Column(column.name, _KINDS.get(column.type_display.partition("(")[0], "text"), column.type_display)
            for column in described.description or []
        ]


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


def agents(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per agent and local day, as marts.agent_daily has it.

    Raises:
        NothingToExport: the marts are not built.
    """
    wanted = condition(filters, "agent_daily", "local_date")
    return rows_of(conn, "agents", "agent_daily", filters, wanted, order=("local_date", "agent_id"))


def kpis(conn: psycopg.Connection, filters: Filters) -> Table:
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


def mart(conn: psycopg.Connection, name: str) -> Table:
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


def rows_of(
    conn: psycopg.Connection,
    name: str,
    mart: str,
    filters: Filters,
    wanted: sql.Composable,
    *,
    order: tuple[str, ...],
) -> Table:
    """The rows of a mart that are wanted, with all its columns but our own bookkeeping.

    Args:
        wanted: a condition on the mart, by its name.

    Raises:
        NothingToExport: the marts are not built.
    """
    require(conn, f"marts.{mart}")
    query = sql.SQL("select {} from {} where {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns_of(conn, mart))), sql.Identifier("marts", mart), wanted
    )
    return Table(name, (mart,), query, values_of(filters), order)


def condition(filters: Filters, alias: str, day: str, **columns: str) -> sql.Composable:
    """Of the parts of a filter those that are set.

    Args:
        alias: of the relation that is filtered.
        day: its column of local days.
        columns: those of agents, departments and channels, where they are called otherwise than elsewhere.
    """
    column = sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(day))
    parts: list[sql.Composable] = [
        sql.SQL("(%(first)s::date is null or {0} >= %(first)s) and (%(last)s::date is null or {0} <= %(last)s)").format(
            column
        )
    ]
    of = {"agents": "agent_id", "departments": "department_id", "channels": "channel"} | columns
    parts += [
        sql.SQL("{}.{} = any({})").format(sql.Identifier(alias), sql.Identifier(of[name]), sql.Placeholder(name))
        for name in of
        if getattr(filters, name)
    ]
    return sql.SQL(" and ").join(parts)


def values_of(filters: Filters) -> dict[str, Any]:
    """What the placeholders of `condition` stand for."""
    return {
        "first": filters.first,
        "last": filters.last,
        "agents": list(filters.agents),
        "departments": list(filters.departments),
        "channels": list(filters.channels),
    }


def require(conn: psycopg.Connection, mart: str) -> None:
    """That the mart is built."""
    if not has_relation(conn, mart):
        raise NothingToExport(NOTHING_YET)


def columns_of(conn: psycopg.Connection, mart: str) -> list[str]:
    """The columns of a mart that are not our own bookkeeping, in order."""
    rows = conn.execute(
        """
        select attname from pg_attribute
        inner join pg_class on pg_class.oid = attrelid
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = 'marts' and relname = %s and attnum > 0 and not attisdropped
        order by attnum
        """,
        [mart],
    ).fetchall()
    return [row[0] for row in rows if row[0] not in _NOT_EXPORTED]


def _marts(conn: psycopg.Connection) -> str:
    rows = conn.execute("""
        select relname from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = 'marts' and relkind in ('r', 'v', 'p') order by 1
    """).fetchall()
    return "there are " + ", ".join(row[0] for row in rows) if rows else NOTHING_YET
