"""A customer analysis as a report: its KPIs and categories as they were made, and the times of day of its chats."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dagster_project.exports.queries import select
from dagster_project.exports.report.data.about import Analysis, Filter
from dagster_project.exports.report.data.breakdowns import Member
from dagster_project.exports.report.data.kpis import Kpi, Unit
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.data.times import (
    CLOCKS,
    SLA_METRICS,
    Band,
    Clock,
    HeatmapCell,
    ResponseTimes,
    Sla,
    TrafficCell,
    TrendPoint,
)
from dagster_project.exports.report.period import NoReport, Period
from dagster_project.exports.report.reading.account import coverage, freshness, slot_min_chat_count
from dagster_project.exports.report.reading.breakdowns import Label, of_labels
from dagster_project.exports.report.reading.times import Target
from dagster_project.exports.week import CELLS
from dagster_project.warehouse import data_source

TIMES = ("pickup", "first_response", "handling", "resolution")
LABELS = {"intent_share": "customer_intent", "journey_share": "journey_stage", "sentiment_share": "sentiment"}


def read_analysis(connection: psycopg.Connection, analysis_id: str, *, timezone: str) -> ReportData:
    """Read the report of a customer analysis from `marts.analysis_kpis` and its chats.

    Args:
        analysis_id: the whole id.
        timezone: the account's zone, an IANA name.

    Raises:
        NoReport: there is no such analysis, or its numbers are not published.
    """
    analysis, period = _analysis(connection, analysis_id)
    kpis = _Kpis(connection, analysis_id)
    where = {"analysis_id": analysis_id}
    cells = _cells(connection, where)
    empty = {place: _Cell(*place, 0, 0, None, None, "no_data") for place in CELLS}
    week = (empty | cells).values()
    return ReportData(
        period=period,
        filter=Filter(),
        timezone=timezone,
        freshness=freshness(connection),
        is_complete=analysis.pending_count == 0,
        is_previous_complete=True,
        summary=_summary(kpis),
        heatmap=tuple(
            HeatmapCell(cell.day_of_week, cell.hour, cell.chat_count, cell.mean_seconds, cell.p50_seconds, cell.band)
            for cell in week
        ),
        slot_min_chat_count=slot_min_chat_count(connection),
        response_times=tuple(_times(kpis, metric) for metric in TIMES),
        days=_days(connection, where, period),
        history=(),
        sla=_sla(connection, where, period),
        agents=kpis.breakdown("agent"),
        departments=kpis.breakdown("department"),
        channels=kpis.channels(),
        insights=of_labels(connection, "marts.analysis_insights", where, kpis.labels(), with_review=False),
        traffic=tuple(TrafficCell(cell.day_of_week, cell.hour, cell.created_chat_count, None) for cell in week),
        backlog=(),
        coverage=coverage(connection, "analysis", analysis_id),
        analysis=analysis,
        is_demo=data_source.is_demo(connection),
    )


def _analysis(connection: psycopg.Connection, analysis_id: str) -> tuple[Analysis, Period]:
    """What was asked for, and its days."""
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
    return Analysis(**found), Period("analysis", first, last, first)


@dataclass(frozen=True)
class _Number:
    """A KPI's value and what it rests on."""

    value: float | None = None
    count: int = 0


class _Kpis:
    """The KPIs of an analysis by metric, scope, key of the agent or department, and member."""

    def __init__(self, connection: psycopg.Connection, analysis_id: str) -> None:
        kpis = select(connection, _Kpi, "marts.analysis_kpis", {"analysis_id": analysis_id})
        self._all = [kpi for kpi in kpis if kpi.scope == "all" or kpi.key != "all"]
        self._numbers = {
            (kpi.metric_name, kpi.scope, kpi.key, kpi.member): _Number(kpi.value, kpi.count) for kpi in self._all
        }
        self._names = {
            (kpi.scope, kpi.key): kpi.agent_name or kpi.department_name or kpi.key
            for kpi in self._all
            if kpi.scope != "all"
        }

    def get(self, metric: str, scope: str = "all", key: str = "all") -> _Number:
        """The number; an empty one where the analysis has none."""
        return self._numbers.get((metric, scope, key, None), _Number())

    def breakdown(self, scope: str) -> tuple[Member, ...]:
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

    def labels(self) -> list[Label]:
        """The labels that chats carry, the most frequent first; chats to which none applies are no part of it."""
        found = [
            Label(LABELS[kpi.metric_name], kpi.member, kpi.count, kpi.value or 0)
            for kpi in self._all
            if kpi.scope == "all" and kpi.metric_name in LABELS and kpi.member and kpi.count
        ]
        return sorted(found, key=lambda label: (-label.chat_count, label.label))

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


def _cells(connection: psycopg.Connection, where: dict[str, Any]) -> dict[tuple[int, int], "_Cell"]:
    found = select(
        connection,
        _Cell,
        "marts.analysis_slots",
        where,
        mean_seconds="mean_first_response_seconds",
        p50_seconds="p50_first_response_seconds",
    )
    return {(cell.day_of_week, cell.hour): cell for cell in found}


def _days(connection: psycopg.Connection, where: dict[str, Any], period: Period) -> tuple[TrendPoint, ...]:
    found = {day.local_date: day for day in select(connection, _Day, "marts.analysis_days", where)}
    days = [period.start + timedelta(days=number) for number in range(period.day_count)]
    return tuple(TrendPoint(*vars(found.get(day, _Day(day))).values()) for day in days)


def _sla(connection: psycopg.Connection, where: dict[str, Any], period: Period) -> tuple[Sla, ...]:
    """Every target by both clocks; the goals are those in force on the last day."""
    last = {"period": "day", "period_start": period.end}
    goals = {target.metric: target.goal for target in select(connection, Target, "marts.sla_targets_by_period", last)}
    found = {(one.metric, one.clock): one for one in select(connection, _States, "marts.analysis_sla", where)}

    def told(metric: str, clock: Clock) -> Sla:
        one = found.get((metric, clock), _States(metric, clock))
        return Sla(
            metric,
            clock,
            one.target_seconds,
            goals.get(metric),
            one.met_count,
            one.breached_count,
            one.pending_count,
            one.rate,
            None,
        )

    return tuple(told(metric, clock) for clock in CLOCKS for metric in SLA_METRICS)


@dataclass(frozen=True)
class _Cell:
    """Chats of the analysis created at one weekday × hour, and the first responses of those that had one."""

    day_of_week: int
    hour: int
    created_chat_count: int
    chat_count: int
    mean_seconds: float | None
    p50_seconds: float | None
    band: Band


@dataclass(frozen=True)
class _Day:
    local_date: date
    chat_count: int | None = None
    first_response_count: int = 0
    p50_first_response_seconds: float | None = None
    p90_first_response_seconds: float | None = None
    sla_judged_count: int = 0
    sla_rate: float | None = None


@dataclass(frozen=True)
class _States:
    metric: str
    clock: Clock
    target_seconds: int | None = None
    met_count: int = 0
    breached_count: int = 0
    pending_count: int = 0
    rate: float | None = None


@dataclass(frozen=True)
class _Kpi:
    metric_name: str
    scope: str
    agent_id: str | None
    agent_name: str | None
    department_id: str | None
    department_name: str | None
    member: str | None
    value: float | None
    count: int

    @property
    def key(self) -> str:
        """The agent or department; all for all chats."""
        return self.agent_id or self.department_id or "all"
