"""Of a report's view model: when agents of calls were there, and how many it takes. The dashboard shows the same."""

from collections.abc import Callable, Sequence

from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.calls import CallAgent, Calls, CoveredCell, CoveredScope, StaffedHour
from dagster_project.exports.report.data.kpis import Better, Unit
from dagster_project.exports.report.phrases import shortened
from dagster_project.exports.report.view import parts
from dagster_project.exports.report.view.calls import name_of
from dagster_project.exports.report.view.charts import ViewModel, of_whole, shaded

SHOWN = 10  # of hours


def coverage(found: Calls | None, say: Wording) -> ViewModel | None:
    """When somebody was there, and who came when nobody was; None where nobody was there and nobody came."""
    now = found and found.all_covered
    if not found or not now:
        return None
    return {
        "title": say.text("section.coverage"),
        "caption": say.text("calls.coverage.caption"),
        "tiles": _coverage_tiles(now, found.covered_before, say),
        "findings": [],
        "charts": [],
        "heatmaps": _heatmaps(found.cells, say),
        "tables": parts.filled(
            _uncovered(found.cells, say), _scopes(found.covered, "pool", say), _organizations(found, say)
        ),
    }


def staffing(found: Calls | None, say: Wording) -> ViewModel | None:
    """How busy agents were, and which hours lack some; None where no agent was there, and no call."""
    if not found or not (found.all_agents or found.hours):
        return None
    return {
        "title": say.text("section.staffing"),
        "caption": say.text("calls.staffing.caption"),
        "tiles": _agent_tiles(found.all_agents, found.agents_before, say),
        "findings": _overloaded(found.each_agent, say),
        "charts": [],
        "heatmaps": [],
        "tables": parts.filled(_hours(found.hours, say), _agents(found.each_agent, say)),
    }


def _coverage_tiles(now: CoveredScope, before: CoveredScope | None, say: Wording) -> list[ViewModel]:
    def tile(
        name: str, unit: Unit, better: Better | None, value: Callable[[CoveredScope], float | None], made_of: str
    ) -> ViewModel:
        before_it = value(before) if before else None
        return parts.tile(say.text(f"calls.{name}"), unit, better, value(now), before_it, made_of, say)

    calls = say.text("rooms.n.of", count=say.number(now.uncovered_call_count), all=say.number(now.call_count))
    views = say.text("rooms.n.of", count=say.number(now.uncovered_pageview_count), all=say.number(now.pageview_count))
    most = say.text("calls.most_at_once", count=say.number(now.peak_agent_count))
    return [
        tile("uncovered_calls", "share", "lower", lambda one: one.uncovered_call_share, calls),
        tile("uncovered_pageviews", "share", "lower", lambda one: one.uncovered_pageview_share, views),
        tile("covered", "share", None, lambda one: one.covered_share, say.text("calls.covered.of")),
        tile("mean_agents", "agents", None, lambda one: one.mean_agent_count, most),
    ]


def _heatmaps(cells: Sequence[CoveredCell], say: Wording) -> list[ViewModel]:
    if not cells:
        return []
    missed = [cell.uncovered_pageview_count or None for cell in cells]
    return [
        of_whole([cell.covered_share for cell in cells], say) | {"title": say.text("calls.heatmap.covered")},
        shaded(missed, say) | {"title": say.text("calls.heatmap.uncovered")},
    ]


def _uncovered(cells: Sequence[CoveredCell], say: Wording) -> ViewModel:
    heads = ("hour", "uncovered_calls", "calls", "uncovered_pageviews", "pageviews", "covered")
    missed = [cell for cell in cells if cell.uncovered_call_count or cell.uncovered_pageview_count]
    missed.sort(key=lambda cell: (-cell.uncovered_call_count, -cell.uncovered_pageview_count))
    rows = [
        [
            _hour(cell.day_of_week, cell.hour, say),
            say.number(cell.uncovered_call_count),
            say.number(cell.call_count),
            say.number(cell.uncovered_pageview_count),
            say.number(cell.pageview_count),
            parts.share(cell.covered_share, say),
        ]
        for cell in missed[:SHOWN]
    ]
    caption = say.text("calls.uncovered.caption")
    return parts.table("calls", "uncovered", heads, [30, 20, 34, 26, 24], rows, say, caption=caption)


def _organizations(found: Calls, say: Wording) -> ViewModel:
    """The organizations, where there are several: one alone is all."""
    several = sum(one.scope == "organization" for one in found.covered) > 1
    return _scopes(found.covered if several else (), "organization", say)


def _scopes(covered: Sequence[CoveredScope], scope: str, say: Wording) -> ViewModel:
    heads = (scope, "covered", "mean_agents", "peak", "pageviews", "uncovered_pageviews", "calls", "uncovered_calls")
    rows = [
        [
            name_of(one.scope, one.scope_id, one.scope_name, say),
            parts.share(one.covered_share, say),
            parts.number(one.mean_agent_count, say, 1),
            say.number(one.peak_agent_count),
            say.number(one.pageview_count),
            parts.share(one.uncovered_pageview_share, say),
            say.number(one.call_count),
            parts.share(one.uncovered_call_share, say),
        ]
        for one in covered
        if one.scope == scope
    ]
    return parts.table("calls", f"by.{scope}", heads, [20, 20, 20, 20, 20, 18, 20], rows, say)


def _agent_tiles(now: CallAgent | None, before: CallAgent | None, say: Wording) -> list[ViewModel]:
    def tile(name: str, better: Better | None, value: Callable[[CallAgent], float | None], made_of: str) -> ViewModel:
        seen, before_it = value(now) if now else None, value(before) if before else None
        return parts.tile(say.text(f"calls.{name}"), "share", better, seen, before_it, made_of, say)

    signed_in = say.text("calls.signed_in", time=say.duration(now.signed_in_seconds if now else 0))
    offers = say.text("n", count=say.number(now.offer_count if now else 0))
    missed = say.number(now.missed_offer_count if now else 0)
    missed_before = None if before is None else float(before.missed_offer_count)
    return [
        tile("occupancy", None, lambda one: one.occupancy_share, say.text("calls.occupancy.of")),
        tile("utilization", None, lambda one: one.utilization_share, signed_in),
        tile("offers_accepted", "higher", lambda one: one.offer_accept_rate, offers),
        parts.tile(
            say.text("calls.offers_missed"),
            "chats",
            "lower",
            float(now.missed_offer_count) if now else None,
            missed_before,
            say.text("rooms.n.of", count=missed, all=say.number(now.offer_count if now else 0)),
            say,
        ),
    ]


def _overloaded(agents: Sequence[CallAgent], say: Wording) -> list[str]:
    """Who was too busy: that is a warning, and no success."""
    return [
        say.text(
            "calls.overloaded", agent=shortened(agent.agent_name, 40), occupancy=say.percent(agent.occupancy_share, 0)
        )
        for agent in agents
        if agent.is_overloaded
    ]


def _hours(hours: Sequence[StaffedHour], say: Wording) -> ViewModel:
    heads = ("pool", "hour", "calls", "an_hour", "handle", "needed", "there_were", "gap", "service_level")
    rows = [
        [
            shortened(hour.pool_name, 30),
            _hour(hour.day_of_week, hour.hour, say),
            say.number(hour.call_count),
            parts.number(hour.mean_call_count, say, 1),
            parts.time(hour.mean_handle_seconds, say),
            parts.number(hour.needed_agent_count, say),
            parts.number(hour.mean_present_agent_count, say, 1),
            parts.signed(hour.agent_gap, say),
            parts.share(hour.expected_service_level, say),
        ]
        for hour in hours[:SHOWN]
    ]
    is_known = any(hour.needed_agent_count is not None for hour in hours)
    caption = say.text("calls.hours.caption" if is_known else "calls.hours.unknown")
    widths = [25, 15, 15, 18, 17, 15, 17, 20]
    return parts.table("calls", "hours", heads, widths, rows, say, texts=2, caption=caption)


def _agents(agents: Sequence[CallAgent], say: Wording) -> ViewModel:
    heads = (
        "agent",
        "signed_in",
        "occupancy",
        "utilization",
        "answered_calls",
        "talk",
        "offers",
        "accepted_offers",
        "missed_offers",
    )
    rows = [
        [
            shortened(agent.agent_name, 40),
            say.duration(agent.signed_in_seconds),
            parts.share(agent.occupancy_share, say),
            parts.share(agent.utilization_share, say),
            say.number(agent.answered_count),
            say.duration(agent.talk_seconds_sum),
            say.number(agent.offer_count),
            parts.share(agent.offer_accept_rate, say),
            say.number(agent.missed_offer_count),
        ]
        for agent in agents
    ]
    widths = [18, 18, 17, 16, 18, 17, 18, 16]
    return parts.table("calls", "agents", heads, widths, rows, say, caption=say.text("calls.agents.caption"))


def _hour(day_of_week: int, hour: int, say: Wording) -> str:
    return f"{say.weekday(day_of_week)} {hour:02}:00"
