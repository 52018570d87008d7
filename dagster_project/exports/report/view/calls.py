"""Of a report's view model: what became of calls, and how far visits came. The dashboard shows the same."""

from collections.abc import Callable, Sequence

from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.calls import OUTCOMES, CallGroup, Calls, Funnel
from dagster_project.exports.report.data.kpis import Better, Unit
from dagster_project.exports.report.phrases import shortened
from dagster_project.exports.report.view import parts
from dagster_project.exports.report.view.charts import ViewModel, bars

COUNTRIES = 10
STEPS = ("pageview", "popup", "call", "accepted", "completed")
_RATES = {"popup": "popup_rate", "call": "call_rate", "accepted": "accepted_rate", "completed": "completed_rate"}


def calls(found: Calls | None, say: Wording) -> ViewModel | None:
    """How many calls were answered, how soon, and what became of the others; None where there was none."""
    now = found and found.all_calls
    if not found or not now:
        return None
    return {
        "title": say.text("section.calls"),
        "caption": say.text("calls.calls.caption"),
        "tiles": _call_tiles(now, found.group_before, say),
        "findings": [],
        "charts": [],
        "heatmaps": [],
        "tables": parts.filled(
            _outcomes(now, say),
            *(_groups(found.of_scope(scope), scope, say) for scope in ("pool", "site", "country", "disposition")),
        ),
    }


def funnel(found: Calls | None, say: Wording) -> ViewModel | None:
    """How far visits came, step by step, and where they were lost; None where there was no visit."""
    now = found and found.all_visits
    if not found or not now:
        return None
    counts: list[tuple[str, float | None]] = [(say.text(f"calls.step.{step}"), _visits(now, step)) for step in STEPS]
    return {
        "title": say.text("section.funnel"),
        "caption": say.text("calls.funnel.caption"),
        "tiles": _funnel_tiles(now, found.funnel_before, say),
        "findings": [],
        "charts": [bars(counts, say, say.text("calls.steps.chart"))],
        "heatmaps": [],
        "tables": parts.filled(
            _steps(now, found.funnel_before, say),
            *(_funnels(found.funnels, scope, say) for scope in ("site", "pool", "country")),
            _aside(now, say),
        ),
    }


def name_of(scope: str, scope_id: str, scope_name: str, say: Wording) -> str:
    """What people call a member of a scope of calls."""
    if scope_id in ("all", "none", "unknown"):
        return say.text(f"calls.member.{scope_id}")
    return shortened(scope_name, 40)


def _call_tiles(now: CallGroup, before: CallGroup | None, say: Wording) -> list[ViewModel]:
    def tile(
        name: str, unit: Unit, better: Better, value: Callable[[CallGroup], float | None], count: int
    ) -> ViewModel:
        label = say.text(f"calls.{name}", target=now.target_seconds)
        made_of = say.text("n", count=say.number(count))
        if name == "service_level":
            made_of = say.text("n.goal", count=say.number(count), goal=say.percent(now.target_share, 0))
        return parts.tile(label, unit, better, value(now), value(before) if before else None, made_of, say)

    judged = now.judged_count
    return [
        tile("answer_rate", "share", "higher", lambda one: one.answer_rate, judged),
        tile("service_level", "share", "higher", lambda one: one.service_level, judged),
        tile("abandon_rate", "share", "lower", lambda one: one.abandon_rate, judged),
        tile("answer_p90", "seconds", "lower", lambda one: one.p90_answer_seconds, now.answered_count),
    ]


def _outcomes(now: CallGroup, say: Wording) -> ViewModel:
    rows = [
        [
            say.text(f"calls.outcome.{outcome}"),
            say.text(f"calls.outcome.{outcome}.means"),
            say.number(getattr(now, f"{outcome}_count")),
        ]
        for outcome in OUTCOMES
    ]
    rows.append([say.text("calls.outcome.all"), "", say.number(now.call_count)])
    return parts.table("calls", "outcomes", ("outcome", "means", "calls"), [105, 22], rows, say, texts=2)


def _groups(groups: Sequence[CallGroup], scope: str, say: Wording) -> ViewModel:
    heads = (scope, "calls", "answered", "in_time", "abandoned", "missed", "answer", "answer_p90", "handle")
    rows = [
        [
            name_of(one.scope, one.scope_id, one.scope_name, say),
            say.number(one.call_count),
            parts.share(one.answer_rate, say),
            parts.share(one.service_level, say),
            parts.share(one.abandon_rate, say),
            parts.share(one.miss_rate, say),
            parts.time(one.p50_answer_seconds, say),
            parts.time(one.p90_answer_seconds, say),
            parts.time(one.mean_handle_seconds, say),
        ]
        for one in groups
    ]
    caption = say.text("calls.groups.caption") if scope == "pool" else _most(rows, say)
    widths = [15, 19, 15, 20, 14, 16, 16, 17]
    return parts.table("calls", f"by.{scope}", heads, widths, rows[:COUNTRIES], say, caption=caption)


def _funnel_tiles(now: Funnel, before: Funnel | None, say: Wording) -> list[ViewModel]:
    def tile(name: str, value: Callable[[Funnel], float | None], count: int | None) -> ViewModel:
        made_of = say.text("n", count=say.number(count or 0))
        before_it = value(before) if before else None
        return parts.tile(say.text(f"calls.{name}"), "share", "higher", value(now), before_it, made_of, say)

    first = now.popup_visit_count if now.pageview_visit_count is None else now.pageview_visit_count
    return [
        tile("popup_rate", lambda one: one.popup_rate, now.pageview_visit_count),
        tile("call_rate", lambda one: one.call_rate, now.popup_visit_count),
        tile("accepted_rate", lambda one: one.accepted_rate, now.call_visit_count),
        tile("overall_rate", lambda one: one.overall_rate, first),
    ]


def _steps(now: Funnel, before: Funnel | None, say: Wording) -> ViewModel:
    heads = ("step", "visits", "of_step", "visits_before", "of_step_before")

    def told(one: Funnel | None, step: str) -> list[str]:
        if one is None:
            return [parts.NONE, parts.NONE]
        rate = getattr(one, _RATES[step]) if step in _RATES else None
        return [parts.number(_visits(one, step), say), parts.share(rate, say)]

    rows = [[say.text(f"calls.step.{step}"), *told(now, step), *told(before, step)] for step in STEPS]
    caption = say.text("calls.steps.caption")
    return parts.table("calls", "steps", heads, [24, 34, 34, 34], rows, say, caption=caption)


def _funnels(funnels: Sequence[Funnel], scope: str, say: Wording) -> ViewModel:
    heads = (scope, "visits", "popup", "call", "accepted", "completed", "overall")
    rows = [
        [
            name_of(one.scope, one.scope_id, one.scope_name, say),
            say.number(one.visit_count),
            parts.share(one.popup_rate, say),
            parts.share(one.call_rate, say),
            parts.share(one.accepted_rate, say),
            parts.share(one.completed_rate, say),
            parts.NONE if one.overall_rate is None else say.percent(one.overall_rate, 1),
        ]
        for one in funnels
        if one.scope == scope
    ]
    widths = [18, 24, 20, 22, 24, 22]
    return parts.table("calls", f"by.{scope}", heads, widths, rows[:COUNTRIES], say, caption=_most(rows, say))


def _aside(now: Funnel, say: Wording) -> ViewModel:
    rows = [
        [say.text(f"calls.aside.{name}"), say.number(getattr(now, f"{name}_count"))]
        for name in ("direct_call", "anonymous", "bot", "suspected_bot")
    ]
    return parts.table("calls", "aside", ("what", "count"), [28], rows, say)


def _visits(one: Funnel, step: str) -> int | None:
    count: int | None = getattr(one, f"{step}_visit_count")
    return count


def _most(rows: Sequence[object], say: Wording) -> str:
    """What is said where a table shows but the largest members."""
    return say.text("calls.most", shown=COUNTRIES, all=len(rows)) if len(rows) > COUNTRIES else ""
