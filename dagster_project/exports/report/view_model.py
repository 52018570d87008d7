"""A report in words: what the PDF's template lays out, ready to print, with the plain numbers that it draws."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from dagster_project.exports.i18n.language import Language
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.charts import banded, bars, day_label, point_label, round_ticks, shaded, trend
from dagster_project.exports.report.data import BUCKETS, Insights, Kpi, Member, ReportData, Share, Sla, Waited
from dagster_project.exports.report.insights import findings, slot
from dagster_project.exports.week import MONDAY_FIRST

NAME_LENGTH = 60

TILES = (
    *("chats_created", "first_response_p50", "first_response_p90", "sla_first_response_rate"),
    *("unanswered", "resolution_p50", "sla_overall_rate", "backlog_open"),
)
Printed = dict[str, Any]


def document(data: ReportData, *, language: Language, timestamp: datetime, company: str | None = None) -> Printed:
    """All that is printed, by section, as JSON can hold it; a section that the filter leaves nothing of is None."""
    say = Wording(language)
    return {
        "language": language,
        "page": say.text("page", page="%p", pages="%n"),
        "no_data": say.text("no_data"),
        "cover": _cover(data, say, timestamp, company),
        "summary": _summary(data, say),
        "actions": None if data.analysis or not data.chat_count else _actions(data, say),
        "appendix": say.text("appendix"),
        "heatmap": _heatmaps(data, say),
        "times": _times(data, say),
        "sla": _sla(data, say),
        "agents": _agents(data, say) if data.filter.scope in ("all", "agent") else None,
        "groups": _groups(data, say) if data.filter.scope in ("all", "department", "provider") else None,
        "insights": _insights(data, say),
        "operations": None if data.analysis else _operations(data, say),
        "notes": _notes(data, say),
    }


def period_name(data: ReportData, say: Wording) -> str:
    """The week's first and last day, or the month's name."""
    period = data.period
    if period.kind == "month":
        return say.month(period.start)
    return say.text("period.range", first=say.day(period.start), last=say.day(period.end))


def classified_by(data: ReportData, say: Wording) -> str:
    """The badge: who gave the categories."""
    sources = [say.text(f"source.{source}") for source in _sources(data.insights)]
    if not sources:
        return say.text("badge.none")
    *most, last = sources
    return say.text("badge", sources=f"{', '.join(most)}{say.text('badge.and')}{last}" if most else last)


def _sources(insights: Insights) -> dict[str, int]:
    """How many chats each kind of source categorized."""
    counts = {
        "rules": insights.by_rules_count,
        "model": insights.by_model_count,
        "stand_in": insights.by_stand_in_count,
        "people": insights.by_people_count,
    }
    return {source: count for source, count in counts.items() if count}


def not_categorized(insights: Insights, say: Wording) -> str:
    """How many chats a language model has not categorized, as a sentence that follows another; empty for none."""
    waiting, unanswered = insights.waiting_count, insights.unanswered_count
    if not waiting + unanswered:
        return ""
    return " " + say.text("insights.waiting", waiting=say.number(waiting), unanswered=say.number(unanswered))


def _cover(data: ReportData, say: Wording, timestamp: datetime, company: str | None) -> Printed:
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


def asked_for(data: ReportData, say: Wording) -> Iterable[list[str]]:
    """Whose chats these are, and what they are compared with, or who asked."""
    period, chosen, analysis = data.period, data.filter, data.analysis
    if not analysis:
        name = say.label(chosen.scope, chosen.name) if chosen.scope in ("provider", "direction") else chosen.name
        yield [say.text("filter"), say.text(f"filter.{chosen.scope}", name=shortened(name, 120))]
        before = say.month(period.previous_start)
        if period.kind == "week":
            before = say.text("period.range", first=say.day(period.previous_start), last=say.day(period.previous_end))
        yield [say.text("compared_with"), before]
        return
    chosen_ones = {
        "agents": say.text("analysis.agents", names=_enumerated(analysis.agent_names, say)),
        "departments": say.text("analysis.departments", names=_enumerated(analysis.department_names, say)),
        "contacts": say.text("analysis.contacts", count=say.number(analysis.contact_count)),
    }
    all_of = {
        "agents": analysis.agent_names,
        "departments": analysis.department_names,
        "contacts": analysis.contact_count,
    }
    parts = {part: text if all_of[part] else say.text(f"analysis.{part}.all") for part, text in chosen_ones.items()}
    yield [say.text("filter"), say.text("analysis.filters", **parts)]
    yield [say.text("analysis.asked_by"), shortened(analysis.triggered_by, 120)]
    yield [
        say.text("analysis.sample"),
        say.text(
            "analysis.sample.value",
            share=say.percent(analysis.sample_rate, 0),
            chats=say.chats(analysis.chat_in_filter_count),
            skipped=say.number(analysis.skipped_count),
            pending=say.number(analysis.pending_count),
        ),
    ]


def _enumerated(names: tuple[str, ...], say: Wording) -> str:
    """The first three names, and how many more there are."""
    shown = [shortened(name, 40) for name in names[:3]]
    if len(names) > 3:
        shown.append(say.text("analysis.and_more", count=len(names) - 3))
    return ", ".join(shown)


def _summary(data: ReportData, say: Wording) -> Printed:
    kpis = {kpi.metric: kpi for kpi in data.summary}
    shown = [kpi.metric for kpi in data.summary] if data.analysis else TILES
    return {
        "title": say.text("section.summary"),
        "population": population(data, say),
        "tiles": [_tile(kpis[metric], data, say) for metric in shown],
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


def _tile(kpi: Kpi, data: ReportData, say: Wording) -> Printed:
    """A figure with what it is made of and how it was before."""
    promises = {promise.metric: promise for promise in data.sla if promise.clock == "wall"}
    below = ""
    if kpi.metric == "unanswered" and kpi.value is not None:
        below = say.text("n.of", count=say.number(kpi.count))
    elif kpi.metric == "sla_overall_rate" and promises["overall"].goal is not None:
        below = say.text("n.goal", count=say.number(kpi.count), goal=say.percent(promises["overall"].goal, 0))
    elif kpi.metric == "sla_first_response_rate" and promises["first_response"].target_seconds is not None:
        target = say.duration(promises["first_response"].target_seconds)
        below = say.text("n.target", count=say.number(kpi.count), target=target)
    elif kpi.unit in ("seconds", "share", "points"):
        below = say.text("n", count=say.number(kpi.count))
    before = "before.start" if kpi.metric == "backlog_open" else "before"
    return {
        "label": kpi_name(kpi, data, say),
        "value": say.value(kpi.value, kpi.unit),
        "empty": kpi.value is None,
        "made_of": below,
        "change": say.change(kpi),
        "verdict": kpi.verdict or "none",
        "before": say.text(before, value=say.value(kpi.previous, kpi.unit)) if kpi.previous is not None else "",
    }


def kpi_name(kpi: Kpi, data: ReportData, say: Wording) -> str:
    """What a figure is called in this report."""
    if kpi.metric == "chats_created" and data.direction != "incoming":
        return say.text("kpi.chats_created.of", direction=say.kind(data.direction))
    return say.text(f"kpi.{kpi.metric}")


def population(data: ReportData, say: Wording) -> str:
    """Which chats the figures are of, and how many there are of the others."""
    if data.direction is None:
        return ""
    of = "population.incoming" if data.direction == "incoming" else "population.of"
    others = [
        say.text(
            "population.other",
            count=say.number(other.chat_count),
            direction=say.label("other", other.direction),
            before=say.text("population.before", value=say.number(other.previous_chat_count))
            if other.previous_chat_count is not None
            else "",
        )
        for other in data.others
        if other.chat_count
    ]
    told = say.text("population.others", others="; ".join(others)) if others else say.text("population.none")
    return f"{say.text(of, direction=say.kind(data.direction))} {told}"


def _actions(data: ReportData, say: Wording) -> Printed:
    """What a manager can do at once: chats to look up, and who is farthest from the goal."""
    enough = data.slot_min_chat_count or 0
    shown = len(data.open_breaches) < data.open_breached_count
    return {
        "title": say.text("section.actions"),
        "slots_title": say.text("actions.slots"),
        "slots_why": say.text("actions.slots.why" if data.slots else "actions.slots.none", enough=enough),
        "slots": [
            {
                "title": say.text("actions.slot", number=number, **_sentence_case(slot(one.cell, say))),
                "figures": say.text(
                    "actions.slot.figures",
                    mean=say.duration(one.cell.mean_seconds),
                    p50=say.duration(one.cell.p50_seconds),
                    count=say.number(one.cell.chat_count),
                ),
                "rows": [_waited(chat, data, say) for chat in one.chats],
            }
            for number, one in enumerate(data.slots, start=1)
        ],
        "columns": [say.text(f"column.{name}") for name in ("chat_id", "agent", "department", "created", "waited")],
        "open_title": say.text("actions.open"),
        "open_why": say.text(
            "actions.open.why",
            count=say.number(data.open_breached_count),
            shown=say.text("actions.open.shown", shown=len(data.open_breaches)) if shown else "",
        )
        if data.open_breaches
        else say.text("actions.open.none"),
        "open": [_waited(chat, data, say) for chat in data.open_breaches],
        "gap_title": say.text("actions.gap"),
        "gap_why": say.text("actions.gap.why", enough=enough, goal=say.percent(data.sla[0].goal, 0)),
        "gap_columns": [say.text(f"column.{name}") for name in ("who", "judged", "sla", "gap", "open_breached")],
        "gap": _farthest(data, enough, say),
    }


FARTHEST = 5


def _farthest(data: ReportData, enough: int, say: Wording) -> list[list[str]]:
    """Those with the lowest SLA below the goal, agents and departments together."""
    named = [
        (names[member.id], member)
        for kind, members in (("agent", data.agents), ("department", data.departments))
        for names in [_told_apart(members, kind, say)]
        for member in members
        if len(members) > 1 and member.sla_judged_count >= max(enough, 1)
    ]
    below = [
        (name, member)
        for name, member in named
        if member.sla_rate is not None and member.sla_goal is not None and member.sla_rate < member.sla_goal
    ]
    below.sort(key=lambda one: (one[1].sla_rate or 0, -one[1].sla_judged_count, one[0]))
    return [
        [
            shortened(name),
            say.number(member.sla_judged_count),
            say.percent(member.sla_rate, 0),
            say.gap(member.sla_rate, member.sla_goal),
            say.number(member.open_breached_count),
        ]
        for name, member in below[:FARTHEST]
    ]


def _waited(chat: Waited, data: ReportData, say: Wording) -> list[str]:
    return [
        shortened(chat.chat_id, 40),
        shortened(chat.agent_name or "–", 28),
        shortened(chat.department_name or "–", 26),
        say.short_instant(chat.created_at, data.timezone),
        say.duration(chat.seconds) if chat.seconds is not None else say.text("actions.unanswered"),
    ]


def _sentence_case(texts: dict[str, str]) -> dict[str, str]:
    return texts | {"day": texts["day"][:1].upper() + texts["day"][1:]}


def _heatmaps(data: ReportData, say: Wording) -> Printed:
    counts = [cell.chat_count or None for cell in data.traffic]
    kind = say.kind(data.direction)
    return {
        "title": say.text(f"section.heatmap.{data.period.kind}"),
        "day": say.text("heatmap.day"),
        "days": [say.weekday(day) for day in MONDAY_FIRST],
        "units": say.text("heatmap.units"),
        "first_response": {
            "title": say.text("heatmap.first_response"),
            "caption": say.text("heatmap.caption.analysis")
            if data.analysis
            else say.text("heatmap.caption", kind=kind, enough=data.slot_min_chat_count or say.text("no_data")),
            **banded(data.heatmap, say),
        },
        "traffic": {
            "title": say.text("heatmap.traffic"),
            "caption": say.text("heatmap.traffic.caption", kind=kind) if counts else "",
            **shaded(counts, say),
        },
    }


def _times(data: ReportData, say: Wording) -> Printed:
    def row(times: Any) -> list[str]:
        values = (times.mean_seconds, times.p50_seconds, times.p90_seconds, times.p95_seconds, times.p99_seconds)
        return [
            say.text(f"metric.{times.metric}"),
            say.number(times.count),
            *(say.duration(value) for value in values),
            *([] if data.analysis else [say.duration(times.previous_p50_seconds)]),
        ]

    wall = [times for times in data.response_times if times.clock == "wall"]
    business = [times for times in data.response_times if times.clock == "business"]
    columns = ("time", "count", "mean", "p50", "p90", "p95", "p99", *([] if data.analysis else ["previous_p50"]))
    return {
        "title": say.text("section.times"),
        "columns": [say.text(f"column.{column}") for column in columns],
        "tables": [
            {"title": say.text(title), "rows": [row(times) for times in shown]}
            for title, shown in (("times.wall", wall), ("times.business", business))
            if shown
        ],
        "buckets": {
            "title": say.text("buckets"),
            "caption": say.text("buckets.caption"),
            "labels": [say.text(f"bucket.{bucket}") for bucket in BUCKETS],
            "rows": [
                {
                    "label": say.text(f"metric.{times.metric}"),
                    "count": say.number(times.count),
                    "shares": [count / times.count for count in times.buckets] if times.count else [],
                    "texts": [say.percent(count / times.count, 0) for count in times.buckets] if times.count else [],
                }
                for times in wall
                if times.metric in ("pickup", "first_response", "reply") and not data.analysis
            ],
        },
        "trends": [
            trend(points, say.text(title), data, say)
            for points, title in ((data.days, "trend.days"), (data.history, f"trend.{data.period.kind}"))
            if points
        ],
        "caption": say.text("trend.caption"),
    }


def _sla(data: ReportData, say: Wording) -> Printed:
    before = [] if data.analysis else ["previous"]
    columns = ["promise", "target", "met", "breached", "pending", "rate", *before, "goal"]

    def row(promise: Sla) -> Printed:
        reaches = promise.rate is not None and promise.goal is not None and promise.rate >= promise.goal
        verdict = say.text("sla.goal_met" if reaches else "sla.goal_missed")
        return {
            "cells": [
                say.text(f"metric.{promise.metric}"),
                say.duration(promise.target_seconds) if promise.target_seconds is not None else "–",
                say.number(promise.met_count),
                say.number(promise.breached_count),
                say.number(promise.pending_count),
                say.percent(promise.rate),
                *([say.percent(promise.previous_rate)] if before else []),
                say.percent(promise.goal, 0) if promise.goal is not None else "–",
            ],
            "rate": promise.rate,
            "goal": promise.goal,
            "verdict": verdict if promise.rate is not None and promise.goal is not None else "",
            "reaches": reaches,
        }

    rates = [point.sla_rate for point in data.days]
    labels = [day_label(data, say, point) for point in data.days]
    told = "; ".join(f"{label}: {say.percent(rate)}" for label, rate in zip(labels, rates, strict=True))
    return {
        "title": say.text("section.sla"),
        "intro": say.text("sla.intro"),
        "columns": [say.text(f"column.{column}") for column in columns],
        "tables": [
            {
                "title": say.text(f"clock.{clock}"),
                "rows": [row(promise) for promise in data.sla if promise.clock == clock],
            }
            for clock in ("wall", "business")
        ],
        "trend": {
            "title": say.text("sla.trend"),
            "labels": labels,
            "series": [
                {
                    "name": say.text("metric.overall"),
                    "values": rates,
                }
            ],
            "ticks": [{"value": step / 4, "label": say.percent(step / 4, 0)} for step in range(5)],
            "goal": data.sla[0].goal,
            "goal_label": say.text("column.goal"),
            "alt": say.text("trend.alt", title=say.text("sla.trend"), values=told),
        },
    }


def _agents(data: ReportData, say: Wording) -> Printed:
    return {
        "title": say.text("section.agents"),
        "caption": say.text(
            "agents.caption.analysis" if data.analysis else "agents.caption",
            badge=classified_by(data, say),
            kind=say.kind(data.direction),
            goal=say.percent(data.sla[0].goal, 0),
        ),
        "count": say.text("agents.count", count=say.number(len(data.agents))) if len(data.agents) > 1 else "",
        **_members(data, data.agents, "agent", [*_COLUMNS, "quality"], say),
        "note": "" if data.agents else say.text("agents.none"),
    }


def _groups(data: ReportData, say: Wording) -> Printed:
    channels = () if data.analysis else data.channels  # an analysis knows nothing of them but their chats
    columns = [*_COLUMNS, "share"]
    tables = [
        _members(data, data.departments, "department", columns, say),
        _members(data, channels, "provider", columns, say),
    ]
    return {
        "title": say.text("section.groups"),
        "caption": say.text(
            "groups.caption.analysis" if data.analysis else "groups.caption",
            kind=say.kind(data.direction),
            goal=say.percent(data.sla[0].goal, 0),
        ),
        "tables": [found for found in tables if found["rows"]],
        "note": "" if data.departments or channels else say.text("no_data"),
    }


_COLUMNS = ("chats", "messages", "first_response", "first_response_p90", "sla", "gap", "open_breached", "others")
_WIDTHS = {
    "chats": 11,
    "messages": 17,
    "first_response": 20,
    "first_response_p90": 21,
    "sla": 11,
    "gap": 19,
    "open_breached": 19,
    "others": 13,
    "quality": 14,
    "share": 13,
}
_OF_ANALYSES = {"chats", "messages", "first_response", "first_response_p90", "sla", "quality", "share"}


def _members(data: ReportData, members: tuple[Member, ...], kind: str, columns: list[str], say: Wording) -> Printed:
    """A table of agents, departments or channels; widths of its columns but the first in millimetres."""
    shown = [column for column in columns if (column in _OF_ANALYSES if data.analysis else column != "messages")]
    names = _told_apart(members, kind, say)
    whole = sum(member.chat_count for member in members)
    heads = ["channel" if kind == "provider" else kind, *shown]

    def row(member: Member) -> list[str]:
        cells = {
            "chats": say.number(member.chat_count),
            "messages": say.number(member.message_count),
            "first_response": say.duration(member.first_response_p50_seconds),
            "first_response_p90": say.duration(member.first_response_p90_seconds),
            "sla": say.percent(member.sla_rate, 0),
            "gap": say.gap(member.sla_rate, member.sla_goal),
            "open_breached": say.number(member.open_breached_count),
            "others": say.number(member.other_chat_count),
            "quality": say.number(member.mean_quality, 1),
            "share": say.percent(member.chat_count / whole if whole else None, 0),
        }
        return [shortened(names[member.id]), *(cells[column] for column in shown)]

    return {
        "columns": [say.text(f"column.{head}") for head in heads],
        "widths": [_WIDTHS[column] for column in shown],
        "rows": [row(member) for member in members],
    }


def _told_apart(members: tuple[Member, ...], kind: str, say: Wording) -> dict[str, str]:
    """The members' names by their ids; where several have the same one, with the id behind it."""
    names = {member.id: say.label(kind, member.name) for member in members}
    often = Counter(names.values())
    return {key: f"{name} ({key})" if often[name] > 1 and key != name else name for key, name in names.items()}


def _insights(data: ReportData, say: Wording) -> Printed:
    insights = data.insights

    def bars(kind: str, shares: tuple[Share, ...]) -> list[Printed]:
        return [
            {
                "label": say.label(kind, share.label),
                "share": share.share,
                "text": f"{say.percent(share.share)} · {say.number(share.count)}",
            }
            for share in shares
        ]

    groups: tuple[tuple[str, str, tuple[Share, ...]], ...] = (
        ("intents", "intent", insights.intents),
        ("journeys", "journey", insights.journeys),
        ("sentiments", "sentiment", insights.sentiments),
    )
    if data.intents:
        groups = groups[1:]
    covered = insights.categorized_count / insights.chat_count if insights.chat_count else None
    return {
        "title": say.text("section.insights"),
        "badge": classified_by(data, say),
        "coverage": say.text("insights.coverage") + not_categorized(insights, say),
        "warning": _caution(insights, say),
        "tiles": [
            {
                "label": say.text("insights.categorized"),
                "value": say.number(insights.categorized_count),
                "empty": False,
                "below": say.text("insights.of_all", share=say.percent(covered), chats=say.chats(insights.chat_count)),
            },
            {
                "label": say.text("insights.quality"),
                "value": say.number(insights.mean_quality, 1),
                "empty": insights.mean_quality is None,
                "below": say.text("insights.over", chats=say.chats(insights.quality_count)),
            },
            *(
                []
                if data.analysis
                else [
                    {
                        "label": say.text("insights.review"),
                        "value": say.number(insights.needs_review_count),
                        "empty": insights.needs_review_count is None,
                        "below": say.text("insights.review.why"),
                    }
                ]
            ),
        ],
        "intents": _intents(data, say) if data.intents else None,
        "groups": [{"title": say.text(f"insights.{key}"), "rows": bars(kind, shares)} for key, kind, shares in groups],
        "empty": not insights.categorized_count,
    }


def _caution(insights: Insights, say: Wording) -> str:
    """How far to trust the categories, by who gave them."""
    sources = _sources(insights)
    if list(sources) in (["rules"], ["model"]):
        return say.text(f"insights.{next(iter(sources))}")
    parts = [
        say.text("insights.source", count=say.number(count), source=say.text(f"source.{source}"))
        for source, count in sources.items()
    ]
    return say.text("insights.mixed", sources=", ".join(parts))


def _intents(data: ReportData, say: Wording) -> Printed:
    columns = ("intent", "count", "share", "previous_share", "share_delta", "first_response")
    return {
        "title": say.text("insights.intents"),
        "columns": [say.text(f"column.{name}") for name in columns],
        "rows": [
            [
                say.label("intent", intent.label),
                say.number(intent.count),
                say.percent(intent.share),
                say.percent(intent.previous_share),
                say.gap(intent.share, intent.previous_share),
                say.duration(intent.first_response_p50_seconds),
            ]
            for intent in data.intents
        ],
        "caption": say.text("intents.caption"),
    }


def _operations(data: ReportData, say: Wording) -> Printed:
    return {
        "title": say.text("section.operations"),
        "service": {
            "title": say.text("service.title"),
            "columns": [say.text(f"column.{name}") for name in ("metric", "value", "count", "before", "share_delta")],
            "rows": [
                [
                    say.text(f"kpi.{kpi.metric}"),
                    say.value(kpi.value, kpi.unit),
                    say.number(kpi.count) if kpi.count != kpi.value else "",
                    say.value(kpi.previous, kpi.unit),
                    say.change(kpi) or "–",
                ]
                for kpi in data.service
            ],
            "caption": say.text("service.caption", kind=say.kind(data.direction)),
        },
        "backlog": None if data.filter.scope == "direction" else _backlog(data, say),
        "backlog_caption": say.text("service.caption.backlog"),
    }


def _backlog(data: ReportData, say: Wording) -> Printed:
    backlog = data.backlog
    lines = (("open", "open_count"), ("over_1d", "over_1d_count"), ("waiting", "waiting_for_answer_count"))
    series = []
    for name, column in lines:
        values = [getattr(midnight, column) for midnight in backlog]
        series.append({"name": say.text(f"operations.{name}"), "values": values})
    highest = max((value for line in series for value in line["values"] if value is not None), default=0)
    labels = [say.short_day(midnight.day) for midnight in backlog]
    told = "; ".join(
        f"{label}: {say.number(midnight.open_count)}" for label, midnight in zip(labels, backlog, strict=True)
    )
    title = say.text("operations.backlog")
    return {
        "title": title,
        "labels": labels,
        "series": series,
        "ticks": [{"value": tick, "label": say.number(tick)} for tick in round_ticks(highest)],
        "empty": "" if any(midnight.open_count is not None for midnight in backlog) else say.text("no_data"),
        "alt": say.text("trend.alt", title=title, values=told),
    }


def _notes(data: ReportData, say: Wording) -> Printed:
    coverage, freshness = data.coverage, data.freshness
    history = say.text("no_data")
    if freshness.first_date and freshness.last_date:
        history = say.text("period.range", first=say.day(freshness.first_date), last=say.day(freshness.last_date))
    read = say.text("notes.days.value", read=coverage.days_read_whole, days=coverage.day_count)
    categorized = f"{say.number(data.insights.categorized_count)} ({classified_by(data, say)})"
    categorized += not_categorized(data.insights, say)
    definitions = (
        *("incoming", "n", "pickup", "first_response", "reply", "handling", "resolution", "percentiles", "clock"),
        *("sla", "backlog", "change", "no_data"),
    )
    return {
        "title": say.text("section.notes"),
        "coverage_title": say.text("notes.coverage"),
        "coverage": [
            [say.text("data_through"), say.instant(freshness.data_through, data.timezone)],
            [say.text("notes.refreshed"), say.instant(freshness.refreshed_at, data.timezone)],
            [say.text("notes.history"), history],
            [say.text("notes.days"), read],
            [say.text("notes.failed"), say.number(coverage.failed_syncs)],
            [say.text("notes.quarantine"), say.number(coverage.quarantined_count)],
            [say.text("notes.categorized"), categorized],
            [
                say.text("notes.targets"),
                say.text("notes.targets.default" if data.has_default_targets else "notes.targets.set"),
            ],
        ],
        "glyphs": say.text("notes.glyphs"),
        "whole_account": say.text("notes.whole_account"),
        "left_out": "" if data.filter.scope == "all" else say.text(f"notes.left_out.{data.filter.scope}"),
        "rules_title": say.text("notes.rules"),
        "rules_none": say.text("notes.rules.none"),
        "rules_columns": [say.text(f"column.{name}") for name in ("rule", "severity", "broken", "checked", "share")],
        "rules": [
            [
                rule.label_es if say.language == "es" else rule.label_en,
                say.label("severity", rule.severity),
                say.number(rule.broken_count),
                say.number(rule.checked_count),
                say.percent(rule.broken_count / rule.checked_count if rule.checked_count else None),
            ]
            for rule in coverage.rules
        ],
        "definitions_title": say.text("notes.definitions"),
        "definitions": [say.text(f"definition.{name}").split("|") for name in definitions],
    }


def shortened(name: str, length: int = NAME_LENGTH) -> str:
    """A name of at most so many signs, which lines can break anywhere where it has no spaces."""
    tidy = re.sub(r"\s+", " ", name).strip()
    cut = tidy if len(tidy) <= length else tidy[: length - 1].rstrip() + "…"
    return re.sub(r"(\S{18})(?=\S{3})", "\\1\u200b", cut)
