"""Of a report: when customers waited how long, which targets were missed, and which chats to look up."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from dagster_project.exports.queries import Between, select
from dagster_project.exports.report.data.times import (
    CLOCKS,
    SLA_METRICS,
    TIMES,
    Clock,
    HeatmapCell,
    ResponseTimes,
    Sla,
    Slot,
    TrafficCell,
    TrendPoint,
    Waited,
)
from dagster_project.exports.report.period import PeriodKind
from dagster_project.exports.report.reading.selection import Selection
from dagster_project.exports.week import CELLS

SLOWEST_SLOTS, CHATS_OF_A_SLOT, OPEN_BREACHES = 3, 5, 8


def heatmap(selection: Selection) -> tuple[HeatmapCell, ...]:
    """Always 168 cells, Monday first."""
    cells = {(cell.day_of_week, cell.hour): cell for cell in _slots(selection)}
    return tuple(cells.get(place) or HeatmapCell(*place, 0, None, None, "no_data", False) for place in CELLS)


def slots(selection: Selection) -> tuple[Slot, ...]:
    """The slowest slots of those with enough chats, each with its slowest chats."""
    slowest = selection.now | {"slowest_rank": Between(1, SLOWEST_SLOTS)}
    chats = select(
        selection.connection,
        _SlotChat,
        "marts.slowest_slot_chats",
        slowest | {"chat_rank": Between(1, CHATS_OF_A_SLOT)},
        order_by="slowest_rank, chat_rank",
        seconds="first_response_seconds",
    )
    of_rank = {
        rank: tuple(Waited(*(getattr(chat, name) for name in Waited.__match_args__)) for chat in of_slot)
        for rank, of_slot in groupby(chats, key=lambda chat: chat.slowest_rank)
    }
    return tuple(Slot(cell, of_rank.get(rank, ())) for rank, cell in enumerate(_slots(selection, slowest), start=1))


def traffic(selection: Selection) -> tuple[TrafficCell, ...]:
    """Always 168 cells, Monday first. Messages, of all chats, are not counted by direction."""
    of_scope = {"scope": selection.filter.scope, "scope_id": selection.filter.scope_id}
    if selection.period.kind == "week":
        relation = "marts.conversation_traffic_heatmap"
        of_period: dict[str, Any] = {"week_start": selection.period.start}
    else:
        relation = "marts.conversation_traffic_periods"
        of_period = {"period": selection.period.kind, "period_start": selection.period.start}
    found = select(selection.connection, _Messages, relation, of_period | of_scope)
    messages = {(cell.day_of_week, cell.hour): cell.message_count for cell in found}
    created = {
        (cell.day_of_week, cell.hour): cell.created_chat_count
        for cell in select(selection.connection, _Created, "marts.slots_by_direction", selection.now)
    }
    return tuple(TrafficCell(*place, created.get(place, 0), messages.get(place)) for place in CELLS)


def response_times(selection: Selection) -> tuple[ResponseTimes, ...]:
    """Every metric by both clocks."""
    found = {
        (times.period_start, times.metric, times.clock): times
        for times in select(selection.connection, _Times, "marts.response_times_by_direction", selection.both)
    }

    def pair(metric: str, clock: Clock) -> ResponseTimes:
        now, before = (found.get((start, metric, clock), _Times(start, metric, clock)) for start in selection.starts)
        values = {name: value for name, value in vars(now).items() if name != "period_start"}
        return ResponseTimes(
            **values,
            previous_count=before.count,
            previous_p50_seconds=before.p50_seconds,
            previous_p90_seconds=before.p90_seconds,
        )

    return tuple(pair(metric, clock) for metric in TIMES for clock in CLOCKS)


def sla(selection: Selection) -> tuple[Sla, ...]:
    """Every target by both clocks; the goal and the target stand there without a chat too."""
    period = {"period": selection.period.kind, "period_start": selection.period.start}
    targets = {
        target.metric: target for target in select(selection.connection, Target, "marts.sla_targets_by_period", period)
    }
    found = {
        (states.period_start, states.metric, states.clock): states
        for states in select(selection.connection, _States, "marts.sla_by_direction", selection.both)
    }

    def pair(metric: str, clock: Clock) -> Sla:
        now, before = (found.get((start, metric, clock), _States(start, metric, clock)) for start in selection.starts)
        target = targets.get(metric, Target(metric, None, None))
        return Sla(
            metric,
            clock,
            target.target_seconds,
            target.goal if now.goal is None else now.goal,
            now.met_count,
            now.breached_count,
            now.pending_count,
            now.rate,
            before.rate,
            now.open_breached_count,
        )

    return tuple(pair(metric, clock) for clock in CLOCKS for metric in SLA_METRICS)


def trend(selection: Selection, step: PeriodKind, first: date) -> tuple[TrendPoint, ...]:
    """Days, weeks or months up to the period's end; of weeks and months none before the first chat."""
    where = selection.now | {"period": step, "period_start": Between(first, selection.period.end)}
    found = {
        point.period_start: point for point in select(selection.connection, _Point, "marts.trend_by_direction", where)
    }
    begun, through = selection.known.first_date, selection.through
    points = []
    for start, following in _steps(step, first, selection.period.end):
        if step == "day" or (begun and following > begun):
            is_whole = bool(begun and through and begun <= start and following <= through)
            point = found.get(start, _Point(start))
            points.append(
                TrendPoint(
                    start,
                    point.chat_count,
                    point.first_response_count,
                    point.p50_first_response_seconds,
                    point.p90_first_response_seconds,
                    point.sla_judged_count,
                    point.sla_rate,
                    is_whole,
                )
            )
    return tuple(points)


def open_breaches(selection: Selection) -> tuple[Waited, ...]:
    """Chats opened in the period that missed a target and are not closed yet; the oldest without an answer first."""
    columns = {"agent": "agent_id", "department": "department_id", "channel": "channel", "source": "source"}
    of_filter = {columns[scope]: selection.filter.scope_id for scope in columns if scope == selection.filter.scope}
    return tuple(
        select(
            selection.connection,
            Waited,
            "marts.sla_breaches",
            {
                "opened_local_date": Between(selection.period.start, selection.period.end),
                "metric": "overall",
                "clock": "wall",
                "closed_at": None,
                "direction": selection.direction,
                **of_filter,
            },
            order_by="first_response_seconds is not null, created_at, chat_id",
            limit=OPEN_BREACHES,
            seconds="first_response_seconds",
        )
    )


def _slots(selection: Selection, where: dict[str, object] | None = None) -> list[HeatmapCell]:
    return select(
        selection.connection,
        HeatmapCell,
        "marts.slots_by_direction",
        where or selection.now,
        order_by="slowest_rank",
        mean_seconds="mean_first_response_seconds",
        p50_seconds="p50_first_response_seconds",
    )


def _steps(step: PeriodKind, first: date, last: date) -> Iterator[tuple[date, date]]:
    """The first days of days, weeks or months, each with that of the one that follows."""
    while first <= last:
        days = {"day": 1, "week": 7, "month": calendar.monthrange(first.year, first.month)[1]}[step]
        yield first, (first := first + timedelta(days=days))


@dataclass(frozen=True)
class Target:
    """What is promised, and to how many."""

    metric: str
    target_seconds: int | None
    goal: float | None


@dataclass(frozen=True)
class _SlotChat:
    slowest_rank: int
    chat_id: str
    agent_name: str | None
    department_name: str | None
    created_at: object
    seconds: float | None


@dataclass(frozen=True)
class _Messages:
    day_of_week: int
    hour: int
    message_count: int


@dataclass(frozen=True)
class _Created:
    day_of_week: int
    hour: int
    created_chat_count: int


@dataclass(frozen=True)
class _Times:
    period_start: date
    metric: str
    clock: Clock
    count: int = 0
    mean_seconds: float | None = None
    p50_seconds: float | None = None
    p90_seconds: float | None = None
    p95_seconds: float | None = None
    p99_seconds: float | None = None
    under_1m_count: int = 0
    from_1m_to_3m_count: int = 0
    from_3m_to_5m_count: int = 0
    from_5m_to_10m_count: int = 0
    over_10m_count: int = 0


@dataclass(frozen=True)
class _States:
    period_start: date
    metric: str
    clock: Clock
    goal: float | None = None
    met_count: int = 0
    breached_count: int = 0
    pending_count: int = 0
    rate: float | None = None
    open_breached_count: int = 0


@dataclass(frozen=True)
class _Point:
    period_start: date
    chat_count: int | None = None
    first_response_count: int = 0
    p50_first_response_seconds: float | None = None
    p90_first_response_seconds: float | None = None
    sla_judged_count: int = 0
    sla_rate: float | None = None
