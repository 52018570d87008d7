"""From a question to rows of the marts: no number is worked out here."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import psycopg

from dagster_project.exports.queries import Between, select
from dagster_project.questions.answers import (
    Filters,
    Freshness,
    FreshnessAnswer,
    MetricAnswer,
    MetricInfo,
    MetricRow,
)
from dagster_project.questions.definitions import Metric
from dagster_project.questions.errors import QuestionFailed
from dagster_project.questions.names import Members, members
from dagster_project.questions.names import shown as shown_name
from dagster_project.warehouse.directory import Kind

Grain = Literal["day", "week", "month"]
Scope = Literal["all", Kind]
Direction = Literal["all", "incoming", "outgoing", "outgoing_broadcast", "unknown"]
MAX_ROWS = 200
_TABLES: dict[Grain, str] = {"day": "marts.kpi_daily", "week": "marts.kpi_weekly", "month": "marts.kpi_monthly"}
_BY_DEFAULT: dict[Grain, int] = {"day": 14, "week": 8, "month": 6}
_MAX_PERIODS = 400
_NOTHING_YET = "There are no chats yet: run `b2chat sync` and `b2chat build`, or `b2chat demo`."


@dataclass(frozen=True)
class Span:
    """The days with chats."""

    first_date: date | None
    last_date: date | None
    first_week_start: date | None
    last_week_start: date | None
    last_full_week_start: date | None


def info(metric: Metric) -> MetricInfo:
    """A metric as answers show it."""
    return MetricInfo(
        name=metric.name,
        label=metric.label_en,
        label_es=metric.label_es,
        unit=metric.unit,
        better=metric.better,
        definition=metric.definition,
        default_direction=metric.direction,
        by_direction=metric.directions,
    )


def span(conn: psycopg.Connection) -> Span:
    """The days with chats.

    Raises:
        QuestionFailed: there are none.
    """
    [found] = select(conn, Span, "marts.data_span", {})
    if found.last_date is None:
        raise QuestionFailed(_NOTHING_YET)
    return found


def freshness(conn: psycopg.Connection, marts: Sequence[str]) -> Freshness:
    """How fresh the stalest of some marts is, and whether it is demo data."""
    found = select(conn, _Mart, "marts.data_freshness", {"mart": list(marts)})
    through = [mart.data_through for mart in found if mart.data_through]
    worst = max(found, key=lambda mart: _STATES.index(mart.freshness), default=None)
    return Freshness(
        data_through=min(through, default=None),
        refreshed_at=min((mart.refreshed_at for mart in found), default=None),
        state=worst.freshness if worst else "never",
        is_made_up=bool(select(conn, _Source, "marts.data_sources", {"is_made_up": True})),
    )


def freshness_of_all(conn: psycopg.Connection) -> FreshnessAnswer:
    """How fresh the facts are, which marts are behind, and which days there are."""
    known = span(conn)
    behind = select(conn, _Mart, "marts.data_freshness", {"freshness": ["late", "lost", "never"]}, limit=20)
    return FreshnessAnswer(
        first_date=known.first_date,
        last_date=known.last_date,
        last_full_week_start=known.last_full_week_start,
        late_marts=[mart.mart for mart in behind],
        freshness=freshness(conn, ["chat_response_times"]),
    )


def query(
    conn: psycopg.Connection,
    metric: Metric,
    *,
    grain: Grain,
    first: date | None,
    last: date | None,
    scope: Scope,
    wanted: Sequence[str],
    direction: Direction | None,
) -> MetricAnswer:
    """A metric by period, and by the members of a scope.

    Args:
        first, last: days; the periods that hold them and those between. By default the last ones that there are.
        wanted: names or ids of members; empty is all of them.
        direction: None is the metric's own.

    Raises:
        QuestionFailed: no such member, period or direction; the text says what there is.
    """
    known = span(conn)
    chosen = direction or metric.direction
    _require_direction(metric, chosen)
    if wanted and scope == "all":
        raise QuestionFailed("members needs a scope: agent, department, channel or source.")
    people = None if scope == "all" else members(conn, scope)
    keys = [people.key(name) for name in wanted] if people else []
    start, end = _periods(known, grain, first, last)
    condition = {"metric": metric.name, "scope": scope, **({"scope_id": keys} if keys else {})}
    if chosen == "all":
        table = _TABLES[grain]
        day = "local_date" if grain == "day" else "period_start"
        of_span = {day: Between(start, end), **condition}
        if grain == "day":
            rows, partial = select(conn, _Kpi, table, of_span, period_start=day), {}
        else:
            whole = select(conn, _KpiOfPeriod, table, of_span)
            rows, partial = list[_Kpi](whole), {row.period_start: row.is_partial for row in whole}
    else:
        table = "marts.kpis_by_direction"
        of_direction = {"period": grain, "period_start": Between(start, end), "direction": chosen, **condition}
        found = select(conn, _KpiByDirection, table, of_direction)
        rows = [_Kpi(row.period_start, row.scope_id, row.value, row.count, None, None, None) for row in found]
        partial = _partial(conn, grain, start, end)
    shown = [_row(row, people, partial) for row in rows]
    shown.sort(key=lambda row: (-row.period_start.toordinal(), row.name))
    return MetricAnswer(
        metric=info(metric),
        grain=grain,
        first_period=start,
        last_period=end,
        filters=Filters(
            scope=scope, members=[people.shown(key).name for key in keys] if people else [], direction=chosen
        ),
        count=sum(row.count for row in shown[:MAX_ROWS]),
        rows=shown[:MAX_ROWS],
        row_count=len(shown),
        freshness=freshness(conn, [table.partition(".")[2]]),
        note=why_no_times(conn, scope, keys) if metric.unit == "seconds" else None,
    )


def why_no_times(conn: psycopg.Connection, scope: Scope, keys: Sequence[str]) -> str | None:
    """Why some of these have no times: their conversations come from several sources. None where all have.

    Args:
        keys: of members; empty is all of the scope.
    """
    wanted = {"scope": scope, "has_times": False, **({"scope_id": list(keys)} if keys else {})}
    mixed = select(conn, _Mixed, "marts.scope_members", wanted)
    if not mixed:
        return None
    sources = ", ".join(f"«{source.name}»" for source in members(conn, "source").all)
    whose = "All" if scope == "all" else ", ".join(f"«{shown_name(member.scope_name)}»" for member in mixed)
    return (
        f"{whose}: conversations of several sources ({sources}). No time is taken across sources, so times are null; "
        "counts and SLA rates stand. Ask with scope=source for times."
    )


def scope_key(conn: psycopg.Connection, scope: Scope, member: str | None) -> tuple[str, str]:
    """The key in the marts of the member of a scope that is meant, and its name.

    Raises:
        QuestionFailed: nobody, or not given, or given for all.
    """
    if scope == "all":
        if member and member != "all":
            raise QuestionFailed("member needs a scope: agent, department, channel or source.")
        return "all", "all"
    if not member:
        raise QuestionFailed(f"scope={scope} needs a member: a name or an id. list_members names them.")
    kind: Kind = scope
    people = members(conn, kind)
    key = people.key(member)
    return key, people.shown(key).name


def monday(known: Span, week: str) -> date:
    """The week that is meant: last (the last full one), or a day of it.

    Raises:
        QuestionFailed: it is no day, or there is no data of that week.
    """
    assert known.first_week_start and known.last_week_start and known.last_full_week_start
    if week.strip().lower() == "last":
        return known.last_full_week_start
    found = _day(week)
    found -= timedelta(days=found.weekday())
    if not known.first_week_start <= found <= known.last_week_start:
        raise QuestionFailed(
            f"There is no data of the week of {found}: weeks go from {known.first_week_start} to "
            f"{known.last_week_start}. The last full one is {known.last_full_week_start}."
        )
    return found


def day(text: str | None) -> date | None:
    """The day that is meant, if one is.

    Raises:
        QuestionFailed: it is none.
    """
    return _day(text) if text else None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise QuestionFailed(f"{text[:40]!r} is no day: write YYYY-MM-DD, 2026-01-05 for example.") from None


def _require_direction(metric: Metric, direction: str) -> None:
    if metric.directions == "none" and direction != "all":
        raise QuestionFailed(f"{metric.name} is not known by direction: ask for direction=all.")
    if metric.directions == "only" and direction == "all":
        raise QuestionFailed(f"{metric.name} is known by direction only: ask for direction=incoming, or another one.")


def _periods(known: Span, grain: Grain, first: date | None, last: date | None) -> tuple[date, date]:
    """The starts of the first and the last period."""
    assert known.first_date and known.last_date
    end = _start(grain, min(last or known.last_date, known.last_date))
    if end < _start(grain, known.first_date) or (first and _start(grain, first) > end):
        raise QuestionFailed(
            f"There is no data {f'from {first} ' if first else ''}to {last or end}: "
            f"chats go from {known.first_date} to {known.last_date}."
        )
    start = _start(grain, first) if first else _back(end, grain, _BY_DEFAULT[grain] - 1)
    return max(start, _back(end, grain, _MAX_PERIODS)), end


def _start(grain: Grain, of: date) -> date:
    return {"day": of, "week": of - timedelta(days=of.weekday()), "month": of.replace(day=1)}[grain]


def _back(start: date, grain: Grain, count: int) -> date:
    if grain == "month":
        months = start.year * 12 + start.month - 1 - count
        return date(months // 12, months % 12 + 1, 1)
    return start - timedelta(days=count * (7 if grain == "week" else 1))


def _partial(conn: psycopg.Connection, grain: Grain, start: date, end: date) -> dict[date, bool]:
    """Whether each week or month is one that the data does not cover whole."""
    if grain == "day":
        return {}
    of_all = {"period_start": Between(start, end), "scope": "all", "metric": "chats_created"}
    return {row.period_start: row.is_partial for row in select(conn, _Partial, _TABLES[grain], of_all)}


def _row(row: "_Kpi", people: Members | None, partial: dict[date, bool]) -> MetricRow:
    member = people.shown(row.scope_id) if people else None
    return MetricRow(
        period_start=row.period_start,
        id=member.id if member else "all",
        name=member.name if member else "all",
        value=row.value,
        count=row.count,
        is_partial=partial.get(row.period_start),
        previous_value=row.previous_value,
        change=row.value_delta,
        change_pct=row.value_delta_pct,
    )


def day_name(day_of_week: int) -> str:
    """Monday …; 0 = Sunday."""
    return calendar.day_name[(day_of_week + 6) % 7]


_STATES = ["fresh", "late", "lost", "never"]


@dataclass(frozen=True)
class _Mart:
    mart: str
    data_through: datetime | None
    refreshed_at: datetime
    freshness: str


@dataclass(frozen=True)
class _Source:
    source: str


@dataclass(frozen=True)
class _Kpi:
    period_start: date
    scope_id: str
    value: float | None
    count: int
    previous_value: float | None
    value_delta: float | None
    value_delta_pct: float | None


@dataclass(frozen=True)
class _KpiOfPeriod(_Kpi):
    is_partial: bool


@dataclass(frozen=True)
class _KpiByDirection:
    period_start: date
    scope_id: str
    value: float | None
    count: int


@dataclass(frozen=True)
class _Mixed:
    scope_name: str


@dataclass(frozen=True)
class _Partial:
    period_start: date
    is_partial: bool
