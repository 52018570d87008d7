"""Of a report: who did what, what the chats were about, and which chats it is not about."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import psycopg

from dagster_project.exports.queries import select
from dagster_project.exports.report.data.about import Population, Scope
from dagster_project.exports.report.data.breakdowns import Insights, Intent, Member, Share
from dagster_project.exports.report.reading.selection import Selection


def breakdown(selection: Selection, kind: Scope) -> tuple[Member, ...]:
    """The agents, departments, channels or sources, busiest first.

    All of them, those whose conversations are all of the source that the report is about, or the one that it is about.
    """
    chosen = selection.filter
    if chosen.scope not in ("all", "source", kind):
        return ()
    where = selection.now | {"scope": kind}
    if chosen.scope == "all":
        del where["scope_id"]
    elif chosen.scope != kind:
        of_source = {"scope": kind, "source": chosen.scope_id}
        where["scope_id"] = [
            member.scope_id for member in select(selection.connection, _Key, "marts.scope_members", of_source)
        ]
    return tuple(
        select(
            selection.connection,
            Member,
            "marts.breakdown_by_direction",
            where,
            order_by="chat_count desc, other_chat_count desc, scope_name, scope_id",
            id="scope_id",
            name="scope_name",
            closed_count="closed_chat_count",
            first_response_p50_seconds="p50_first_response_seconds",
            first_response_p90_seconds="p90_first_response_seconds",
            reply_p50_seconds="p50_reply_seconds",
            resolution_p50_seconds="p50_resolution_seconds",
        )
    )


def intents(selection: Selection) -> tuple[Intent, ...]:
    """What customers wanted, most wanted first, beside the period before; nothing where it is not known of this one."""
    found = select(selection.connection, _Intent, "marts.intents_by_direction", selection.both)
    now, before = (
        {intent.customer_intent: intent for intent in found if intent.period_start == start}
        for start in (selection.period.start, selection.period.previous_start)
    )
    pairs = [(label, now.get(label, _Intent()), before.get(label, _Intent())) for label in now | before if now]
    return tuple(
        Intent(
            label,
            one.chat_count,
            one.label_share,
            earlier.chat_count,
            earlier.label_share if before else None,
            one.first_response_count,
            one.p50_first_response_seconds,
        )
        for label, one, earlier in sorted(pairs, key=lambda pair: (-pair[1].chat_count, pair[0]))
    )


def insights(selection: Selection) -> Insights:
    """What the period's chats are about, and who says so."""
    labels = select(
        selection.connection, Label, "marts.categories_by_direction", selection.now, order_by="chat_count desc, label"
    )
    return of_labels(selection.connection, "marts.insights_by_direction", selection.now, labels)


def of_labels(
    connection: psycopg.Connection,
    relation: str,
    where: dict[str, Any],
    labels: list["Label"],
    *,
    with_review: bool = True,
) -> Insights:
    """A row of a mart that says who categorized how many chats, with the labels that they carry."""
    found = select(
        connection,
        _Reviewed if with_review else Categorized,
        relation,
        where,
        by_model_count="by_llm_count",
        by_stand_in_count="by_fake_count",
        by_people_count="by_human_count",
    )
    counts = vars(found[0]) if found else {field.name: field.default for field in fields(_Reviewed)}

    def shares(field: str) -> tuple[Share, ...]:
        return tuple(
            Share(None if label.label == "none" else label.label, label.chat_count, label.label_share)
            for label in labels
            if label.field == field
        )

    return Insights(
        **{"needs_review_count": None} | counts,
        intents=shares("customer_intent"),
        journeys=shares("journey_stage"),
        sentiments=shares("sentiment"),
    )


def populations(selection: Selection) -> tuple[Population, ...]:
    """The chats that the report is not about, by how they began; the most first."""
    where = {name: value for name, value in selection.both.items() if name != "direction"}
    found = select(selection.connection, _Chats, "marts.service_by_direction", where)
    counts = {(chats.period_start, chats.direction): chats.chat_count for chats in found}
    others = [
        Population(
            direction,
            counts.get((selection.period.start, direction), 0),
            counts.get((selection.period.previous_start, direction), 0) if selection.is_previous_complete else None,
        )
        for direction in {chats.direction for chats in found} - {selection.direction}
    ]
    return tuple(sorted(others, key=lambda other: (-other.chat_count, other.direction)))


@dataclass(frozen=True)
class Label:
    """How many chats carry a label of a field; `none` where none applies."""

    field: str
    label: str
    chat_count: int
    label_share: float


@dataclass(frozen=True)
class Categorized:
    """Who categorized how many chats."""

    chat_count: int = 0
    categorized_count: int = 0
    by_rules_count: int = 0
    by_model_count: int = 0
    by_stand_in_count: int = 0
    by_people_count: int = 0
    waiting_count: int = 0
    unanswered_count: int = 0
    quality_count: int = 0
    mean_quality: float | None = None


@dataclass(frozen=True)
class _Reviewed(Categorized):
    needs_review_count: int | None = 0


@dataclass(frozen=True)
class _Intent:
    period_start: date | None = None
    customer_intent: str = ""
    chat_count: int = 0
    label_share: float = 0.0
    first_response_count: int = 0
    p50_first_response_seconds: float | None = None


@dataclass(frozen=True)
class _Key:
    scope_id: str


@dataclass(frozen=True)
class _Chats:
    period_start: date
    direction: Any
    chat_count: int
