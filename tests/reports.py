"""Invented reports: what the PDF and the workbook are made of, without a warehouse."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dagster_project.exports.report import (
    Backlog,
    Coverage,
    Filter,
    Freshness,
    HeatmapCell,
    Insights,
    Kpi,
    Member,
    Period,
    QualityRule,
    ReportData,
    ResponseTimes,
    Share,
    Sla,
    TrafficCell,
    TrendPoint,
)

MONDAY = date(2026, 11, 9)
MADE_AT = datetime(2026, 11, 16, 13, 30, tzinfo=UTC)
_CELLS = [(day, hour) for day in (1, 2, 3, 4, 5, 6, 0) for hour in range(24)]
_INTENTS = (Share("PAYMENT", 30, 0.75), Share("LEGAL", 10, 0.25))
_JOURNEYS = (Share("PROSPECT", 30, 0.75), Share(None, 10, 0.25))
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
            Kpi("chats_created", "chats", None, 1234.0, 7, 1000.0),
            Kpi("chats_closed", "chats", None, 1200.0, 7, 1200.0),
            Kpi("messages_in", "messages", None, 5000.0, 7, 4000.0),
            Kpi("messages_out", "messages", None, 4500.0, 7, 4400.0),
            Kpi("pickup_p90", "seconds", "lower", 45.0, 900, 30.0),
            Kpi("first_response_p50", "seconds", "lower", 91.0, 900, 182.0),
            Kpi("first_response_p90", "seconds", "lower", 7500.0, 900, 5000.0),
            Kpi("reply_p50", "seconds", "lower", 45.0, 800, None),
            Kpi("resolution_p50", "seconds", "lower", 90000.0, 700, 90000.0),
            Kpi("sla_overall_rate", "share", "higher", 0.6, 1000, 0.5),
            Kpi("sla_overall_business_rate", "share", "higher", 0.7, 1000, 0.5),
            Kpi("backlog_open", "chats", "lower", 212.0, 8, 198.0),
        ),
        heatmap=tuple(HeatmapCell(day, hour, hour, hour * 60.0 or None, hour * 50.0 or None) for day, hour in _CELLS),
        slot_min_chat_count=5,
        response_times=tuple(
            ResponseTimes(metric, clock, 100, 300.0, 91.0, 700.0, 900.0, 4000.0, 50, 20, 10, 10, 10, 90, 80.0, 650.0)
            for metric in ("pickup", "first_response", "reply", "handling", "resolution")
            for clock in ("wall", "business")  # type: ignore[attr-defined]
        ),
        days=tuple(TrendPoint(MONDAY + timedelta(days=day), 100 + day, 90, 91.0, 700.0, 80, 0.6) for day in range(7)),
        history=tuple(TrendPoint(MONDAY - timedelta(weeks=n), 900, 9, 91.0, 700.0, 8, 0.6) for n in range(11, -1, -1)),
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
    )  # fmt: skip


def made(kind: str, hostile: Sequence[str] = ()) -> ReportData:
    """A report by name: full, empty, hostile (agents of these names), or crowd (a hundred agents)."""
    if kind == "empty":
        return empty_week()
    names = {
        "full": ("Lina Duque", "Óscar Zuluaga"), "hostile": hostile,
        "crowd": [f"Agente número {number}" for number in range(100)]}[kind]  # fmt: skip
    return full_week(*names)


def empty_week() -> ReportData:
    """A week without a chat, before the first one that is known."""
    full = full_week()
    return replace(
        full,
        is_previous_complete=False,
        summary=tuple(replace(kpi, value=None, count=0, previous=None) for kpi in full.summary),
        heatmap=tuple(HeatmapCell(cell.day_of_week, cell.hour, 0, None, None) for cell in full.heatmap),
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
    )  # fmt: skip
