"""Of a report's view model: how long customers waited, when, against which target, and what to look up."""

from typing import Any

from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.data.times import BUCKETS, Sla, Waited
from dagster_project.exports.report.phrases import (
    names_apart,
    shortened,
)
from dagster_project.exports.report.view import parts
from dagster_project.exports.report.view.charts import (
    ViewModel,
    banded,
    day_label,
    shaded,
    trend,
)
from dagster_project.exports.report.view.insights import slot
from dagster_project.exports.week import MONDAY_FIRST

FARTHEST = 5


def actions(data: ReportData, say: Wording) -> ViewModel:
    """What a manager can do at once: chats to look up, and who is farthest from the goal."""
    enough = data.slot_min_chat_count or 0
    shown = len(data.open_breaches) < data.open_breached_count
    return {
        "title": say.text("section.actions"),
        "slots_title": say.text("actions.slots"),
        "slots_why": _slots_why(data, say, enough),
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


def _slots_why(data: ReportData, say: Wording, enough: int) -> str:
    if not data.filter.has_times:
        return say.text("population.several_sources")
    return say.text("actions.slots.why" if data.slots else "actions.slots.none", enough=enough)


def _farthest(data: ReportData, enough: int, say: Wording) -> list[list[str]]:
    """Those with the lowest SLA below the goal, agents and departments together."""
    named = [
        (names[member.id], member)
        for kind, members in (("agent", data.agents), ("department", data.departments))
        for names in [names_apart(members, kind, say)]
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


def heatmaps(data: ReportData, say: Wording) -> ViewModel:
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


def times(data: ReportData, say: Wording) -> ViewModel:
    def row(times: Any) -> list[str]:
        values = (times.mean_seconds, times.p50_seconds, times.p90_seconds, times.p95_seconds, times.p99_seconds)
        return [
            say.text(f"metric.{times.metric}"),
            say.number(times.count),
            *(parts.measured(value, times.count, say) for value in values),
            *([] if data.analysis else [parts.measured(times.previous_p50_seconds, times.previous_count, say)]),
        ]

    wall = [times for times in data.response_times if times.clock == "wall"]
    empty = "no_data" if data.filter.has_times else "badge.several_sources"
    business = [times for times in data.response_times if times.clock == "business"]
    columns = ("time", "count", "mean", "p50", "p90", "p95", "p99", *([] if data.analysis else ["previous_p50"]))
    return {
        "title": say.text("section.times"),
        "apart": "" if data.filter.has_times else say.text("population.several_sources"),
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
            trend(points, say.text(title), data, say) | {"empty": say.text(empty)}
            for points, title in ((data.days, "trend.days"), (data.history, f"trend.{data.period.kind}"))
            if points
        ],
        "caption": say.text("trend.caption"),
    }


def sla(data: ReportData, say: Wording) -> ViewModel:
    before = [] if data.analysis else ["previous"]
    columns = ["promise", "target", "met", "breached", "pending", "rate", *before, "goal"]

    def row(target: Sla) -> ViewModel:
        reaches = target.rate is not None and target.goal is not None and target.rate >= target.goal
        verdict = say.text("sla.goal_met" if reaches else "sla.goal_missed")
        return {
            "cells": [
                say.text(f"metric.{target.metric}"),
                say.duration(target.target_seconds) if target.target_seconds is not None else "–",
                say.number(target.met_count),
                say.number(target.breached_count),
                say.number(target.pending_count),
                say.percent(target.rate),
                *([say.percent(target.previous_rate)] if before else []),
                say.percent(target.goal, 0) if target.goal is not None else "–",
            ],
            "rate": target.rate,
            "goal": target.goal,
            "verdict": verdict if target.rate is not None and target.goal is not None else "",
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
                "rows": [row(target) for target in data.sla if target.clock == clock],
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
