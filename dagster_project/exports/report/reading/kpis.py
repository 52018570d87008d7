"""Of a report: its KPIs beside those of the period before, and the backlog at each midnight."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from dagster_project.exports.queries import Between, select
from dagster_project.exports.report.data.account import Backlog
from dagster_project.exports.report.data.kpis import Kpi, Unit
from dagster_project.exports.report.reading.selection import Selection
from dagster_project.warehouse import seeds

SUMMARY = (
    *("chats_created", "unanswered", "chats_closed", "messages_in", "messages_out", "pickup_p90"),
    *("first_response_p50", "first_response_p90", "reply_p50", "resolution_p50"),
    *("sla_overall_rate", "sla_first_response_rate", "sla_overall_business_rate", "backlog_open"),
)
SERVICE = (
    *("first_contact_resolution_rate", "chats_reopened", "agent_transfers", "department_transfers"),
    *("survey_response_rate", "bot_chats", "bot_containment_rate", "broadcasts_answered"),
)
_OF_ALL_DIRECTIONS = {"messages_in", "messages_out"}


def of_metrics(selection: Selection, metrics: tuple[str, ...], backlog: tuple[Backlog, ...]) -> tuple[Kpi, ...]:
    """KPIs in the order asked for, beside those of the period before.

    Args:
        backlog: as `backlog` reads it, for `backlog_open`.
    """
    known = {row["metric"]: row for row in seeds.rows("kpi_metrics")}
    by_direction = select(
        selection.connection, _Number, "marts.kpis_by_direction", selection.both | {"metric": list(metrics)}
    )
    found = [*by_direction, *_messages(selection, metrics), *_open_at_midnight(selection, backlog)]
    numbers = {(number.metric, number.period_start): number for number in found}
    # Sums are not comparable where one of the periods is not whole.
    are_whole = selection.is_complete and selection.is_previous_complete

    def kpi(metric: str) -> Kpi:
        now, before = (numbers.get((metric, start), _Number(metric, start, None, 0)) for start in selection.starts)
        unit, better = cast(Unit, known[metric]["unit"]), cast(Any, known[metric]["better"] or None)
        is_comparable = are_whole or unit in ("seconds", "share") or metric == "backlog_open"
        return Kpi(metric, unit, better, now.value, now.count, before.value, is_comparable)

    return tuple(kpi(metric) for metric in metrics)


def _messages(selection: Selection, metrics: tuple[str, ...]) -> list["_Number"]:
    """Messages of all chats of the scope; no direction has any."""
    wanted = sorted(_OF_ALL_DIRECTIONS.intersection(metrics))
    if not wanted:
        return []
    return select(
        selection.connection,
        _Number,
        f"marts.kpi_{selection.period.kind}ly",
        {
            "period_start": list(selection.starts),
            "scope": selection.filter.scope,
            "scope_id": selection.filter.scope_id,
            "metric": wanted,
        },
    )


def _open_at_midnight(selection: Selection, backlog: tuple[Backlog, ...]) -> list["_Number"]:
    """The backlog at the last midnight that is known, and as that of the period before the one that began this one."""
    if not backlog:
        return []
    counts = [backlog[0].open_count, *(one.open_count for one in backlog if one.open_count is not None)]
    return [
        _Number("backlog_open", start, count, count)
        for start, count in zip(selection.starts, (counts[-1], counts[0]), strict=True)
        if count is not None
    ]


def backlog(selection: Selection) -> tuple[Backlog, ...]:
    """The midnights from the one that begins the period to the one that ends it; a direction has none."""
    days = [selection.period.start + timedelta(days=day) for day in range(selection.period.day_count + 1)]
    found = {
        midnight.day: midnight
        for midnight in select(
            selection.connection,
            Backlog,
            "marts.backlog_midnights",
            {
                "local_date": Between(days[0], days[-1]),
                "scope": selection.filter.scope,
                "scope_id": selection.filter.scope_id,
            },
            day="local_date",
        )
    }
    return tuple(found.get(day) or Backlog(day, None, None, None, None, None) for day in days)


@dataclass(frozen=True)
class _Number:
    metric: str
    period_start: date
    value: float | None
    count: int
