"""Invented calls of a website, as a report tells of them: the ten calls, the funnel and the hours of docs/calls.md."""

from dagster_project.exports.report.data.calls import (
    CallAgent,
    CallGroup,
    Calls,
    CoveredCell,
    CoveredScope,
    Funnel,
    StaffedHour,
)
from dagster_project.exports.week import CELLS


def week_of_calls(*, is_empty: bool = False) -> Calls:
    """Ten calls, a thousand visits, an agent who is too busy; or a week in which nothing happened."""
    if is_empty:
        return Calls((), None, (), None, (), None, (), (), (), None)
    return Calls(
        groups=(
            _group("all", "all"),
            _group("pool", "calls:p", "Ventas"),
            *(_group("country", f"C{number}", f"C{number}") for number in range(11)),
            _group("country", "unknown", "unknown"),
            _group("disposition", "calls:w", "Duque Zuluaga"),
            _group("disposition", "calls:n", "Constructora Lina Duque"),
        ),
        group_before=_group("all", "all", service_level=0.5),
        funnels=(
            _funnel("all", "all"),
            _funnel("site", "calls:s", "www.firma.example"),
            _funnel("country", "CO", "CO"),
        ),
        funnel_before=None,
        covered=(_covered("all", "all"), _covered("pool", "calls:p", "Ventas")),
        covered_before=None,
        cells=tuple(_cell(day, hour) for day, hour in CELLS),
        hours=(
            StaffedHour("Ventas", 1, 9, 8, 800, 100.0, 180.0, 14, 0.888, 0.714, 6.0, -8.0),
            StaffedHour("Ventas", 2, 9, 8, 19, None, None, None, None, None, 2.5, None),
        ),
        agents=(_agent("all", "all", 0.6, False), _agent("calls:ana", "Ana Rojas", 0.9, True)),
        agents_before=None,
    )


def _group(scope: str, scope_id: str, name: str = "", service_level: float = 0.625) -> CallGroup:
    counts = (10, 6, 1, 0, 1, 1, 1, 0, 8)
    return CallGroup(
        scope, scope_id, name or scope_id, *counts, 0.75, service_level, 0.125, 0.125, 15.5, 32.5, 245.0, 20, 0.8
    )


def _funnel(scope: str, scope_id: str, name: str = "") -> Funnel:
    counts = (1010, 1000, 400, 60, 45, 42)
    return Funnel(scope, scope_id, name or scope_id, *counts, 0.4, 0.15, 0.75, 42 / 45, 0.042, 3, 101, 7, 0)


def _covered(scope: str, scope_id: str, name: str = "") -> CoveredScope:
    return CoveredScope(scope, scope_id, name or scope_id, 0.75, 1.25, 2, 20, 5, 0.25, 4, 1, 0.25)


def _cell(day: int, hour: int) -> CoveredCell:
    """Somebody from 8:30 to 18 on work days; a call at 8 on Monday with nobody there; of Sunday nothing has passed."""
    if day == 0:
        return CoveredCell(day, hour, None, None, 0, 0, 0, 0)
    covered = 0.5 if hour == 8 else float(9 <= hour < 18)
    missed = int((day, hour) == (1, 8))
    return CoveredCell(day, hour, covered, 2 * covered, 5, 5 if covered == 0 else 2, 2, missed)


def _agent(agent_id: str, name: str, occupancy: float, is_overloaded: bool) -> CallAgent:
    return CallAgent(agent_id, name, 7200, occupancy, 0.833, is_overloaded, 6, 1500, 3, 1 / 3, 2)
