"""Invented reports: what the PDF and the workbook are made of, without a warehouse."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dagster_project.exports.report.data.about import Filter, Freshness, Population
from dagster_project.exports.report.data.account import Backlog, Coverage, QualityRule, TableGrowth
from dagster_project.exports.report.data.breakdowns import Insights, Intent, Member, Share
from dagster_project.exports.report.data.kpis import Kpi
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.data.rooms import Escalations, OpenStep, OverdueMonth, Path, Person, Robot, Rooms
from dagster_project.exports.report.data.times import (
    HeatmapCell,
    ResponseTimes,
    Sla,
    Slot,
    TrafficCell,
    TrendPoint,
    Waited,
)
from dagster_project.exports.report.period import Period
from tests.support.report_calls import week_of_calls

MONDAY = date(2026, 11, 9)
MADE_AT = datetime(2026, 11, 16, 13, 30, tzinfo=UTC)
_CELLS = [(day, hour) for day in (1, 2, 3, 4, 5, 6, 0) for hour in range(24)]
_INTENTS = (Share("PAYMENT", 30, 0.75), Share("LEGAL", 10, 0.25))
_JOURNEYS = (Share("PROSPECT", 30, 0.75), Share(None, 10, 0.25))
_WAITED = tuple(
    Waited(
        f"0000{number}e70-d7ad-43ca-a1e7-b80113e3f56e", "Óscar Zuluaga", "Trámites y Escrituración", MADE_AT, seconds
    )
    for number, seconds in enumerate((90000.0, 9000.0, 95.0, None))
)
_RULE = QualityRule("chats", "unknown_provider", "warning", "Canal desconocido", "Unknown channel", 3, 9)


def agent(number: int, name: str) -> Member:
    """An agent with 1,234 chats less his number."""
    return Member(
        f"agent{number}", name, 1234 - number, 40, 90, 45, 91.0, 7500.0, 60, 45.0, 30, 90000.0, 20, 0.85, 2.5, 12, 7.3
    )


def full_week(*names: str) -> ReportData:
    """A week in which everything has a value; `names` are those of its agents."""
    return ReportData(
        period=Period.week(MONDAY),
        filter=Filter(),
        timezone="America/Bogota",
        freshness=Freshness(MADE_AT - timedelta(hours=1), MADE_AT, date(2026, 9, 1), date(2026, 11, 16)),
        is_complete=True,
        is_previous_complete=True,
        summary=(
            Kpi("chats_created", "chats", None, 1234.0, 1234, 1000.0),
            Kpi("unanswered", "chats", None, 34.0, 1234, 30.0),
            Kpi("chats_closed", "chats", None, 1200.0, 1200, 1200.0),
            Kpi("messages_in", "messages", None, 5000.0, 5000, 4000.0),
            Kpi("messages_out", "messages", None, 4500.0, 4500, 4400.0),
            Kpi("pickup_p90", "seconds", "lower", 45.0, 900, 30.0),
            Kpi("first_response_p50", "seconds", "lower", 91.0, 900, 182.0),
            Kpi("first_response_p90", "seconds", "lower", 7500.0, 900, 5000.0),
            Kpi("reply_p50", "seconds", "lower", 45.0, 800, None),
            Kpi("resolution_p50", "seconds", "lower", 90000.0, 700, 90000.0),
            Kpi("sla_overall_rate", "share", "higher", 0.6, 1000, 0.5),
            Kpi("sla_first_response_rate", "share", "higher", 0.55, 990, 0.5),
            Kpi("sla_overall_business_rate", "share", "higher", 0.7, 1000, 0.5),
            Kpi("backlog_open", "chats", "lower", 212.0, 8, 198.0),
        ),
        heatmap=tuple(
            HeatmapCell(
                day,
                hour,
                hour,
                hour * 60.0 or None,
                hour * 50.0 or None,
                ("no_data", "fast", "average", "slow")[-(-hour // 8)],
            )
            for day, hour in _CELLS
        ),
        response_times=tuple(
            ResponseTimes(metric, clock, 100, 300.0, 91.0, 700.0, 900.0, 4000.0, 50, 20, 10, 10, 10, 90, 80.0, 650.0)
            for metric in ("pickup", "first_response", "reply", "handling", "resolution")
            for clock in ("wall", "business")  # type: ignore[attr-defined]
        ),
        days=tuple(TrendPoint(MONDAY + timedelta(days=day), 100 + day, 90, 91.0, 700.0, 80, 0.6) for day in range(7)),
        history=tuple(TrendPoint(MONDAY - timedelta(weeks=n), 900, 9, 91.0, 700.0, 8, 0.6) for n in range(12, -1, -1)),
        sla=tuple(
            Sla(metric, clock, None if metric == "overall" else 300, 0.95, 60, 40, 3, 0.6, 0.5)
            for clock in ("wall", "business")  # type: ignore[attr-defined]
            for metric in ("overall", "pickup", "first_response", "avg_reply", "resolution")
        ),
        agents=tuple(agent(number, name) for number, name in enumerate(names)),
        departments=(replace(agent(0, "Cartera"), id="CAR"), replace(agent(1, "Cartera"), id="Cartera")),
        channels=(replace(agent(0, "whatsapp"), id="whatsapp"),),
        insights=Insights(1234, 40, 40, 0, 3, _INTENTS, _JOURNEYS, (Share("FRICTION", 40, 1.0),), 12, 7.3),
        traffic=tuple(TrafficCell(day, hour, hour, 2 * hour) for day, hour in _CELLS),
        backlog=tuple(Backlog(MONDAY + timedelta(days=day), 198 + day, 3, 20, 100, 40) for day in range(8)),
        coverage=Coverage(7, 7, 0, 2, (_RULE,)),
        others=(Population("outgoing", 2500, 2400), Population("unknown", 3, None)),
        slots=tuple(
            Slot(HeatmapCell(day, hour, 12, 9000.0 - hour, 8000.0 - hour, "slow"), _WAITED)
            for day, hour in ((2, 9), (3, 10), (0, 23))
        ),
        slot_min_chat_count=5,
        open_breaches=_WAITED,
        open_breached_count=21,
        service=(
            Kpi("first_contact_resolution_rate", "share", "higher", 0.7, 500, 0.6),
            Kpi("chats_reopened", "chats", "lower", 4.0, 4, 8.0),
            Kpi("bot_containment_rate", "share", "higher", None, 0, None),
        ),
        intents=(Intent("PAYMENT", 30, 0.75, 20, 0.5, 28, 91.0), Intent("LEGAL", 10, 0.25, 20, 0.5, 0, None)),
        has_default_targets=True,
        growth=(TableGrowth("core", "messages", 4_000_000, 60_000.4, 10_000_000, date(2027, 2, 21)),),
    )


def small_week() -> ReportData:
    """The report of one agent with nine chats: no slot has enough of them, nobody else is listed."""
    full = full_week("Lina Duque")
    return replace(
        full,
        filter=Filter("agent", "agent0", "Lina Duque"),
        heatmap=tuple(
            replace(cell, chat_count=min(cell.chat_count, 1), has_enough_chats=False) for cell in full.heatmap
        ),
        departments=(),
        channels=(),
        slots=(),
        open_breaches=_WAITED[:1],
        open_breached_count=1,
        history=full.history[-2:],
    )


def rooms_week() -> ReportData:
    """The full week of an account with chat rooms, in which two robots worked."""

    def escalations(scope: str, scope_id: str, created: int, p50: float, rooms: bool = False) -> Escalations:
        of_rooms = (20, 5, 0.25, 16, 0.75) if rooms else (None,) * 5
        times = (created, 240.0, created, 360.0, created, p50, 2 * p50, p50 / 2, created, 2400.0, 4800.0)
        return Escalations(scope, scope_id, scope_id, created, created - 1, 0, 1, *times, *of_rooms)

    def robot(robot_id: str, durable: float | None, wait: float | None) -> Robot:
        outcomes = (8, 3, 3, 1, 1, 3 / 7, 3 / 7, 1 / 7, 3, durable)
        return Robot(robot_id, 10, 1, 0.7, 7, 2.0, 5.6, *outcomes, 3, wait, None if wait is None else 2 * wait)

    return replace(
        full_week("Lina Duque"),
        rooms=Rooms(
            escalations=(
                escalations("all", "all", 5, 630.0, rooms=True),
                escalations("level", "T2", 4, 660.0),
                escalations("level", "manager", 1, 600.0),
            ),
            escalations_before=escalations("all", "all", 4, 700.0, rooms=True),
            paths=(Path("T1>T2>manager", 1, 0, 1, 6000.0, 0.21), Path("T1>T2", 3, 1, 2, 4000.0, None)),
            open_steps=(OpenStep("rooms:0000e70", "T1", "T2", 2, None, MADE_AT - timedelta(hours=5), None, 18000),),
            robots=(robot("all", 0.5, 150.0), robot("asistente", 2 / 3, 240.0), robot("pagos", 1 / 3, 60.0)),
            robots_before=robot("all", None, None),
            people=(Person("rooms:ana", "Ana Rojas", 7, 90, 41),),
            overdue_months=(OverdueMonth("messages", date(2024, 9, 1), "online", 120_000, MADE_AT),),
        ),
    )


def made(kind: str, hostile: Sequence[str] = ()) -> ReportData:
    """A report by name: full, empty, small (one agent's), rooms, calls (or none of them in the week), several
    (sources), hostile (agents of these names), crowd (a hundred)."""
    if kind in ("calls", "no_calls"):
        rules = Coverage(7, 7, 0, 2, (_RULE, replace(_RULE, subject="widget pageviews")))
        return replace(full_week("Lina Duque"), calls=week_of_calls(is_empty=kind == "no_calls"), coverage=rules)
    if kind == "several":
        return several_sources_week()
    if kind in ("empty", "small", "rooms"):
        return {"empty": empty_week, "small": small_week, "rooms": rooms_week}[kind]()
    names = {
        "full": ("Lina Duque", "Óscar Zuluaga"),
        "hostile": hostile,
        "crowd": [f"Agente número {number}" for number in range(100)],
    }[kind]
    return full_week(*names)


def several_sources_week() -> ReportData:
    """The full week of an account with several sources, all together: counts and SLA, no times."""
    full = full_week("Lina Duque")
    times = ("mean", "p50", "p90", "p95", "p99", "previous_p50", "previous_p90")
    none: dict[str, None] = dict.fromkeys(f"{name}_seconds" for name in times)
    without = {"first_response_p50_seconds": None, "first_response_p90_seconds": None}
    return replace(
        full,
        filter=Filter(has_times=False),
        response_times=tuple(replace(one, **none) for one in full.response_times),
        days=tuple(replace(point, **without) for point in full.days),
        history=tuple(replace(point, **without) for point in full.history),
        intents=tuple(replace(one, first_response_p50_seconds=None) for one in full.intents),
    )


def empty_week() -> ReportData:
    """A week without a chat, before the first one that is known."""
    full = full_week()
    return replace(
        full,
        is_previous_complete=False,
        summary=tuple(replace(kpi, value=None, count=0, previous=None) for kpi in full.summary),
        heatmap=tuple(
            HeatmapCell(cell.day_of_week, cell.hour, 0, None, None, "no_data", False) for cell in full.heatmap
        ),
        response_times=tuple(
            ResponseTimes(times.metric, times.clock, 0, *[None] * 5, *[0] * 5, 0, None, None)
            for times in full.response_times
        ),
        days=tuple(TrendPoint(point.start, None, 0, None, None, 0, None) for point in full.days),
        history=(),
        sla=tuple(
            replace(promise, met_count=0, breached_count=0, pending_count=0, rate=None, previous_rate=None)
            for promise in full.sla
        ),
        departments=(),
        channels=(),
        insights=Insights(0, 0, 0, 0, 0, (), (), (), 0, None),
        traffic=tuple(replace(cell, chat_count=0, message_count=0) for cell in full.traffic),
        backlog=tuple(Backlog(midnight.day, None, None, None, None, None) for midnight in full.backlog),
        coverage=Coverage(7, 0, 0, 0, ()),
        others=(),
        slots=(),
        open_breaches=(),
        open_breached_count=0,
        intents=(),
        growth=(),
        service=tuple(replace(kpi, value=None, count=0, previous=None) for kpi in full.service),
    )
