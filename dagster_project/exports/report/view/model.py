"""A report in words: what the PDF's template lays out, ready to print, with the plain numbers that it draws."""

from datetime import datetime

from dagster_project.exports.i18n.language import Language
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.kpis import Kpi
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.phrases import (
    asked_for,
    classified_by,
    kpi_name,
    period_name,
    population,
    shortened,
)
from dagster_project.exports.report.view import breakdowns, calls, coverage, operations, rooms, waits
from dagster_project.exports.report.view.charts import (
    ViewModel,
    bars,
    point_label,
)
from dagster_project.exports.report.view.insights import findings

TILES = (
    *("chats_created", "first_response_p50", "first_response_p90", "sla_first_response_rate"),
    *("unanswered", "resolution_p50", "sla_overall_rate", "backlog_open"),
)


def view_model(data: ReportData, *, language: Language, timestamp: datetime, company: str | None = None) -> ViewModel:
    """All that is printed, by section, as JSON can hold it; a section that the filter leaves nothing of is None."""
    say = Wording(language)
    return {
        "language": language,
        "page": say.text("page", page="%p", pages="%n"),
        "no_data": say.text("no_data"),
        "cover": _cover(data, say, timestamp, company),
        "summary": _summary(data, say),
        "actions": None if data.analysis or not data.chat_count else waits.actions(data, say),
        "appendix": say.text("appendix"),
        "heatmap": waits.heatmaps(data, say),
        "times": waits.times(data, say),
        "sla": waits.sla(data, say),
        "agents": breakdowns.agents(data, say) if data.filter.scope in ("all", "source", "agent") else None,
        "groups": breakdowns.groups(data, say)
        if data.filter.scope in ("all", "source", "department", "channel")
        else None,
        "insights": breakdowns.insights(data, say),
        "operations": None if data.analysis else operations.operations(data, say),
        "escalations": rooms.escalations(data.rooms, say, data.timezone),
        "robots": rooms.robots(data.rooms, say),
        "calls": calls.calls(data.calls, say),
        "funnel": calls.funnel(data.calls, say),
        "coverage": coverage.coverage(data.calls, say),
        "staffing": coverage.staffing(data.calls, say),
        "notes": operations.notes(data, say)
        | {"overdue": rooms.overdue(data.rooms.overdue_months if data.rooms else (), say, data.timezone)},
    }


def _cover(data: ReportData, say: Wording, timestamp: datetime, company: str | None) -> ViewModel:
    badges = [f"{say.text('demo')}: {say.text('demo.value')}"] if data.is_demo else []
    badges += [classified_by(data, say)] if data.insights.categorized_count else []
    badges += [] if data.is_complete else [say.text("badge.partial")]
    badges += [] if data.is_previous_complete else [say.text("badge.previous_partial")]
    return {
        "title": say.title(say.text(f"title.{data.period.kind}"), is_demo=data.is_demo),
        "company": shortened(company or say.text("default_company"), 90),
        "subtitle": say.text("subtitle"),
        "period": period_name(data, say),
        "keywords": say.text("keywords"),
        "badges": badges,
        "facts": [
            *asked_for(data, say),
            [say.text("data_through"), say.instant(data.freshness.data_through, data.timezone)],
            [say.text("generated_at"), say.instant(timestamp, data.timezone)],
            [say.text("timezone"), data.timezone],
        ],
    }


def _summary(data: ReportData, say: Wording) -> ViewModel:
    kpis = {kpi.metric: kpi for kpi in data.summary}
    shown = [kpi.metric for kpi in data.summary] if data.analysis else TILES
    return {
        "title": say.text("section.summary"),
        "population": population(data, say),
        "tiles": [tile(kpis[metric], data, say) for metric in shown],
        "findings_title": say.text("findings"),
        "findings": list(findings(data, say, badge=classified_by(data, say))),
        "note": say.text("finding.targets") if data.has_default_targets and data.chat_count else "",
        "charts": [
            bars(
                [(point_label(points, point, data, say), point.chat_count) for point in points],
                say,
                say.text(title, kind=say.kind(data.direction)),
            )
            | {"last_stands_out": points is data.history}
            for points, title in ((data.history, f"chart.{data.period.kind}"), (data.days, "chart.days"))
            if len(points) > 1
        ],
        "partial": "" if all(point.is_whole for point in data.history) else say.text("chart.partial"),
    }


def tile(kpi: Kpi, data: ReportData, say: Wording) -> ViewModel:
    """A figure with what it is made of and how it was before."""
    targets = {target.metric: target for target in data.sla if target.clock == "wall"}
    below = ""
    if kpi.metric == "unanswered" and kpi.value is not None:
        below = say.text("n.of", count=say.number(kpi.count))
    elif kpi.metric == "sla_overall_rate" and targets["overall"].goal is not None:
        below = say.text("n.goal", count=say.number(kpi.count), goal=say.percent(targets["overall"].goal, 0))
    elif kpi.metric == "sla_first_response_rate" and targets["first_response"].target_seconds is not None:
        target = say.duration(targets["first_response"].target_seconds)
        below = say.text("n.target", count=say.number(kpi.count), target=target)
    elif kpi.unit in ("seconds", "share", "points"):
        below = say.text("n", count=say.number(kpi.count))
    before = "before.start" if kpi.metric == "backlog_open" else "before"
    return {
        "label": kpi_name(kpi, data, say),
        # Counted, and without a value: a time of several sources.
        "value": "–" if kpi.value is None and kpi.count else say.value(kpi.value, kpi.unit),
        "empty": kpi.value is None,
        "made_of": below,
        "change": say.change(kpi),
        "verdict": kpi.verdict or "none",
        "before": say.text(before, value=say.value(kpi.previous, kpi.unit)) if kpi.previous is not None else "",
    }
