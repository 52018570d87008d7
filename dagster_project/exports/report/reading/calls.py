"""Of a report: what only calls have. Nothing is read, and nothing said, where no visit and no call has ever landed."""

from collections.abc import Collection
from typing import Any, Literal, LiteralString, TypeVar

import psycopg

from dagster_project.exports.queries import select
from dagster_project.exports.report.data.calls import (
    EVERYTHING,
    CallAgent,
    CallGroup,
    Calls,
    CoveredCell,
    CoveredScope,
    Funnel,
    StaffedHour,
)
from dagster_project.exports.report.period import Period
from dagster_project.warehouse.connection import has_relation

Part = Literal["calls", "funnel", "coverage", "staffing"]
PARTS: tuple[Part, ...] = ("calls", "funnel", "coverage", "staffing")
Row = TypeVar("Row")
_CELLS = {"week": "marts.coverage_heatmap_weekly", "month": "marts.coverage_heatmap"}
_ALL: dict[str, Any] = {"scope": EVERYTHING, "scope_id": EVERYTHING}
_SCOPES: LiteralString = "array_position(array['all', 'organization', 'pool', 'site', 'country', 'disposition'], scope)"


def are_there(connection: psycopg.Connection) -> bool:
    """Whether a visit or a call has ever landed."""
    if not has_relation(connection, "marts.calls_by_period"):
        return False
    found = connection.execute(
        "select exists (select from marts.visits) or exists (select from marts.call_times)"
    ).fetchone()
    return bool(found and found[0])


def calls(connection: psycopg.Connection, period: Period, parts: Collection[Part] = PARTS) -> Calls | None:
    """What calls came to in a period; None where neither visit nor call has ever landed.

    Args:
        period: a week or a month.
        parts: what of it is read; all else is as where there is none.
    """
    if not are_there(connection):
        return None
    now = {"period": period.kind, "period_start": period.start}
    before = {"period": period.kind, "period_start": period.previous_start}

    def one(part: Part, kind: type[Row], mart: str, **member: Any) -> Row | None:
        return next(iter(select(connection, kind, mart, before | member)), None) if part in parts else None

    return Calls(
        groups=groups(connection, now) if "calls" in parts else (),
        group_before=one("calls", CallGroup, "marts.calls_by_period", **_ALL),
        funnels=funnels(connection, now) if "funnel" in parts else (),
        funnel_before=one("funnel", Funnel, "marts.funnel_by_period", **_ALL),
        covered=covered(connection, now) if "coverage" in parts else (),
        covered_before=one("coverage", CoveredScope, "marts.coverage_by_period", **_ALL),
        cells=cells(connection, period) if "coverage" in parts else (),
        hours=hours(connection) if "staffing" in parts else (),
        agents=agents(connection, now) if "staffing" in parts else (),
        agents_before=one("staffing", CallAgent, "marts.call_agents_by_period", agent_id=EVERYTHING),
    )


def groups(connection: psycopg.Connection, where: dict[str, Any]) -> tuple[CallGroup, ...]:
    """All calls first, then those of organizations, pools, sites, countries and dispositions, the most first."""
    order: LiteralString = f"{_SCOPES}, call_count desc, scope_name, scope_id"
    scopes = {"scope": [EVERYTHING, "organization", "pool", "site", "country", "disposition"]}
    return tuple(select(connection, CallGroup, "marts.calls_by_period", where | scopes, order_by=order))


def funnels(connection: psycopg.Connection, where: dict[str, Any]) -> tuple[Funnel, ...]:
    """All visits first, then those of pools, sites and countries, the most first."""
    order: LiteralString = f"{_SCOPES}, visit_count desc, scope_name, scope_id"
    return tuple(select(connection, Funnel, "marts.funnel_by_period", where, order_by=order))


def covered(connection: psycopg.Connection, where: dict[str, Any]) -> tuple[CoveredScope, ...]:
    """All agents first, then those of organizations and pools."""
    order: LiteralString = f"{_SCOPES}, scope_name, scope_id"
    return tuple(select(connection, CoveredScope, "marts.coverage_by_period", where, order_by=order))


def cells(connection: psycopg.Connection, period: Period) -> tuple[CoveredCell, ...]:
    """The 168 cells of all agents, from Monday 0:00; none where nothing of the period is known."""
    where = {f"{period.kind}_start": period.start} | _ALL
    order: LiteralString = "(day_of_week + 6) % 7, hour"
    return tuple(select(connection, CoveredCell, _CELLS[period.kind], where, order_by=order))


def hours(connection: psycopg.Connection) -> tuple[StaffedHour, ...]:
    """Hours of pools with calls, those that lack the most agents first, then those of which too few calls are known."""
    found = select(
        connection,
        StaffedHour,
        "marts.staffing_need",
        {},
        order_by="agent_gap, call_count desc, pool_name, (day_of_week + 6) % 7, hour",
    )
    return tuple(hour for hour in found if hour.call_count)


def agents(connection: psycopg.Connection, where: dict[str, Any]) -> tuple[CallAgent, ...]:
    """All of them first, then each, the busiest first."""
    order: LiteralString = "agent_id <> 'all', occupancy_share desc nulls last, agent_name, agent_id"
    return tuple(select(connection, CallAgent, "marts.call_agents_by_period", where, order_by=order))
