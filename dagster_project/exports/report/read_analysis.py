"""A customer analysis as a report: its KPIs and categories as they were made, and the times of day of its chats."""

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.sql import SQL

from dagster_project.exports.report.data import (
    Analysis,
    Filter,
    HeatmapCell,
    Kpi,
    Member,
    NoReport,
    Period,
    ReportData,
    ResponseTimes,
    Sla,
    TrafficCell,
    TrendPoint,
    Unit,
)
from dagster_project.exports.report.read import coverage, freshness, slot_min_chat_count
from dagster_project.exports.report.read_breakdowns import insights
from dagster_project.warehouse import data_source

TIMES = ("pickup", "first_response", "handling", "resolution")

Row = TypeVar("Row")


def gather_analysis(connection: psycopg.Connection, analysis_id: str, *, timezone: str) -> ReportData:
    """Read the report of a customer analysis from `marts.analysis_kpis` and its chats.

    Args:
        analysis_id: the whole id.
        timezone: the account's zone, an IANA name.

    Raises:
        NoReport: there is no such analysis, or its numbers are not published.
    """
    analysis, first, last = _analysis(connection, analysis_id)
    kpis = _Kpis(connection, analysis_id)
    period = Period("analysis", first, last, first)
    cells = _rows(connection, _Cell, _CELLS, analysis_id)
    sla = tuple(_rows(connection, Sla, _SLA, analysis_id))
    return ReportData(
        period=period,
        filter=Filter(),
        timezone=timezone,
        freshness=freshness(connection),
        is_complete=analysis.pending_count == 0,
        is_previous_complete=True,
        summary=_summary(kpis),
        heatmap=tuple(
            HeatmapCell(cell.day_of_week, cell.hour, cell.answered_count, cell.mean_seconds, cell.p50_seconds)
            for cell in cells
        ),
        slot_min_chat_count=slot_min_chat_count(connection),
        response_times=tuple(_times(kpis, metric) for metric in TIMES),
        days=tuple(_rows(connection, TrendPoint, _DAYS, analysis_id, first=first, last=last)),
        history=(),
        sla=sla,
        agents=kpis.members("agent"),
        departments=kpis.members("department"),
        channels=kpis.channels(),
        insights=insights(connection, SQL(_CATEGORIES), {"analysis_id": analysis_id}, with_unlabelled=False),
        traffic=tuple(TrafficCell(cell.day_of_week, cell.hour, cell.chat_count, None) for cell in cells),
        backlog=(),
        coverage=coverage(connection, period),
        analysis=analysis,
        is_demo=data_source.is_demo(connection),
    )


def _analysis(connection: psycopg.Connection, analysis_id: str) -> tuple[Analysis, date, date]:
    """What was asked for, and its first and last day."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            """
            select
                id,
                status,
                triggered_by,
                array(
                    select coalesce(name, id) from core.agents
                    where id in (select jsonb_array_elements_text(filters -> 'agent_ids')) order by 1
                ) as agent_names,
                array(
                    select coalesce(name, id) from core.departments
                    where id in (select jsonb_array_elements_text(filters -> 'department_ids')) order by 1
                ) as department_names,
                jsonb_array_length(filters -> 'contact_ids') as contact_count,
                sample_rate,
                classifier_version,
                chats_in_filter as chat_in_filter_count,
                skipped_count,
                pending_count,
                completed_at,
                published_at,
                (filters ->> 'date_start')::date as first_date,
                (filters ->> 'date_end')::date as last_date
            from analysis.customer_analyses
            where id = %s
            """,
            [analysis_id],
        ).fetchone()
    if found is None:
        raise NoReport(f"no analysis {analysis_id!r}")
    if found.pop("published_at") is None:
        raise NoReport(f"that analysis is {found['status'].lower()}: its numbers are not published")
    first, last = found.pop("first_date"), found.pop("last_date")
    found |= {name: tuple(found[name]) for name in ("agent_names", "department_names")}
    return Analysis(**found), first, last


@dataclass(frozen=True)
class _Number:
    """A KPI's value and what it rests on."""

    value: float | None = None
    count: int = 0


class _Kpis:
    """The KPIs of an analysis by metric, scope, key of the agent or department, and member."""

    def __init__(self, connection: psycopg.Connection, analysis_id: str) -> None:
        rows = connection.execute(
            """
            select metric_name, scope, coalesce(agent_id, department_id, 'all') as key, member,
                   coalesce(agent_name, department_name, agent_id, department_id) as name, value, count
            from marts.analysis_kpis
            where analysis_id = %s and (scope = 'all' or coalesce(agent_id, department_id) is not null)
            """,
            [analysis_id],
        ).fetchall()
        self._numbers = {
            (metric, scope, key, member): _Number(value, count) for metric, scope, key, member, _, value, count in rows
        }
        self._names = {(scope, key): name for _, scope, key, _, name, _, _ in rows if scope != "all"}

    def get(self, metric: str, scope: str = "all", key: str = "all") -> _Number:
        """The number; an empty one where the analysis has none."""
        return self._numbers.get((metric, scope, key, None), _Number())

    def members(self, scope: str) -> tuple[Member, ...]:
        """The agents or departments, those with most chats first."""
        made = [self._member(scope, key, name) for (kind, key), name in self._names.items() if kind == scope]
        return tuple(sorted(made, key=lambda member: (-member.chat_count, member.name, member.id)))

    def channels(self) -> tuple[Member, ...]:
        """The channels, with the number of their chats alone."""
        made = [
            _member(channel, channel, number.count)
            for (metric, scope, _, channel), number in self._numbers.items()
            if metric == "channel_share" and scope == "all" and channel and number.count
        ]
        return tuple(sorted(made, key=lambda member: (-member.chat_count, member.name)))

    def _member(self, scope: str, key: str, name: str) -> Member:
        def get(metric: str) -> _Number:
            return self.get(metric, scope, key)

        return _member(
            key,
            name,
            get("total_chats").count,
            message_count=get("outgoing_messages").count,
            first_response_count=get("first_response_p50").count,
            first_response_p50_seconds=get("first_response_p50").value,
            first_response_p90_seconds=get("first_response_p90").value,
            resolution_count=get("resolution_p50").count,
            resolution_p50_seconds=get("resolution_p50").value,
            sla_judged_count=get("sla_overall_rate").count,
            sla_rate=get("sla_overall_rate").value,
            mean_concurrent_chats=get("concurrent_chats_average").value,
            quality_count=get("agent_quality_average").count,
            mean_quality=get("agent_quality_average").value,
        )


def _member(key: str, name: str, chat_count: int, **known: Any) -> Member:
    """A member of whom only some numbers are known."""
    unknown: dict[str, Any] = {
        "closed_count": None,
        "message_count": 0,
        "first_response_count": 0,
        "first_response_p50_seconds": None,
        "first_response_p90_seconds": None,
        "reply_count": 0,
        "reply_p50_seconds": None,
        "resolution_count": 0,
        "resolution_p50_seconds": None,
        "sla_judged_count": 0,
        "sla_rate": None,
        "mean_concurrent_chats": None,
        "quality_count": 0,
        "mean_quality": None,
    }
    return Member(id=key, name=name, chat_count=chat_count, **unknown | known)


def _summary(kpis: _Kpis) -> tuple[Kpi, ...]:
    wanted: list[tuple[str, str, Unit]] = [
        ("chats_analysed", "total_chats", "chats"),
        ("messages_analysed", "total_messages", "messages"),
        ("first_response_p50", "first_response_p50", "seconds"),
        ("first_response_p90", "first_response_p90", "seconds"),
        ("pickup_p90", "pickup_p90", "seconds"),
        ("resolution_p50", "resolution_p50", "seconds"),
        ("sla_overall_rate", "sla_overall_rate", "share"),
        ("quality", "agent_quality_average", "points"),
    ]
    numbers = [(name, kpis.get(metric), unit) for name, metric, unit in wanted]
    return tuple(Kpi(name, unit, None, number.value, number.count, None) for name, number, unit in numbers)


def _times(kpis: _Kpis, metric: str) -> ResponseTimes:
    """A time of the analysis, without buckets."""
    mean, p50, p90, p95, p99 = (kpis.get(f"{metric}_{name}").value for name in ("average", "p50", "p90", "p95", "p99"))
    count = kpis.get(f"{metric}_average").count
    return ResponseTimes(metric, "wall", count, mean, p50, p90, p95, p99, 0, 0, 0, 0, 0, 0, None, None)


@dataclass(frozen=True)
class _Cell:
    """Chats of the analysis created at one weekday × hour, and the first responses of those that had one."""

    day_of_week: int
    hour: int
    chat_count: int
    answered_count: int
    mean_seconds: float | None
    p50_seconds: float | None


_CHATS = """
    select times.*
    from analysis.analysis_chats as members
    inner join marts.chat_response_times as times on times.chat_id = members.chat_id and not times.is_deleted
    where members.analysis_id = %(analysis_id)s
"""
_CELLS = """
    with chats as ({chats})

    select
        days.day_of_week,
        hours.hour,
        count(chats.chat_id) as chat_count,
        count(chats.first_response_seconds) as answered_count,
        avg(chats.first_response_seconds)::double precision as mean_seconds,
        percentile_cont(0.5) within group (order by chats.first_response_seconds) as p50_seconds
    from generate_series(0, 6) as days (day_of_week)
    cross join generate_series(0, 23) as hours (hour)
    left join chats on chats.created_day_of_week = days.day_of_week and chats.created_local_hour = hours.hour
    group by days.day_of_week, hours.hour
    order by (days.day_of_week + 6) %% 7, hours.hour
"""
_DAYS = """
    with chats as ({chats})

    select
        days.day::date as start,
        nullif(count(chats.chat_id), 0) as chat_count,
        count(chats.first_response_seconds) as first_response_count,
        percentile_cont(0.5) within group (order by chats.first_response_seconds) as first_response_p50_seconds,
        percentile_cont(0.9) within group (order by chats.first_response_seconds) as first_response_p90_seconds,
        count(*) filter (where sla.wall_state in ('met', 'breached')) as sla_judged_count,
        count(*) filter (where sla.wall_state = 'met')::double precision
        / nullif(count(*) filter (where sla.wall_state in ('met', 'breached')), 0) as sla_rate
    from generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 day') as days (day)
    left join chats on chats.created_local_date = days.day::date
    left join marts.sla_chats as sla on sla.chat_id = chats.chat_id and sla.metric = 'overall'
    group by days.day
    order by days.day
"""
_SLA = """
    with chats as ({chats})

    select
        metrics.metric,
        clocks.clock,
        max(sla.target_seconds) as target_seconds,
        (
            select targets.goal
            from intermediate.sla_targets as targets
            where targets.metric = metrics.metric and targets.provider is null and targets.priority is null
            order by targets.valid_from desc nulls last
            limit 1
        )::double precision as goal,
        count(*) filter (where states.state = 'met') as met_count,
        count(*) filter (where states.state = 'breached') as breached_count,
        count(*) filter (where states.state = 'pending') as pending_count,
        count(*) filter (where states.state = 'met')::double precision
        / nullif(count(*) filter (where states.state in ('met', 'breached')), 0) as rate,
        null::double precision as previous_rate
    from (
        values (1, 'overall'), (2, 'pickup'), (3, 'first_response'), (4, 'avg_reply'), (5, 'resolution')
    ) as metrics (number, metric)
    cross join (values (1, 'wall'), (2, 'business')) as clocks (number, clock)
    left join (select sla.* from marts.sla_chats as sla inner join chats on chats.chat_id = sla.chat_id) as sla
        on sla.metric = metrics.metric
    cross join lateral (
        select case clocks.clock when 'wall' then sla.wall_state else sla.business_state end as state
    ) as states
    group by metrics.number, metrics.metric, clocks.number, clocks.clock
    order by clocks.number, metrics.number
"""
_CATEGORIES = """
    select
        case categories.provider when 'anthropic' then 'llm' else categories.provider end as source,
        case members.state
            when 'categorized' then 'answered'
            when 'pending' then case when members.reason ~ '^(refused|dead)' then 'dead' else 'pending' end
        end as state,
        null::boolean as needs_review,
        categories.customer_intent as intent,
        categories.journey_stage as stage,
        categories.sentiment,
        categories.agent_quality_score as quality
    from analysis.analysis_chats as members
    inner join marts.chat_response_times as times on times.chat_id = members.chat_id and not times.is_deleted
    left join analysis.customer_categorizations as categories
        on categories.analysis_id = members.analysis_id and categories.chat_id = members.chat_id
    where members.analysis_id = %(analysis_id)s
"""


def _rows(connection: psycopg.Connection, kind: type[Row], query: str, analysis_id: str, **values: Any) -> list[Row]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(SQL(query).format(chats=SQL(_CHATS)), values | {"analysis_id": analysis_id}).fetchall()
