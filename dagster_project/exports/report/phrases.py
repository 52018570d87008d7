"""What a report calls things: its period, its filter, its chats, its KPIs, and who categorized."""

import re
from collections import Counter
from collections.abc import Iterable

from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.breakdowns import Insights, Member
from dagster_project.exports.report.data.kpis import Kpi
from dagster_project.exports.report.data.report import ReportData

NAME_LENGTH = 60


def period_name(data: ReportData, say: Wording) -> str:
    """The week's first and last day, or the month's name."""
    period = data.period
    if period.kind == "month":
        return say.month(period.start)
    return say.text("period.range", first=say.day(period.start), last=say.day(period.end))


def asked_for(data: ReportData, say: Wording) -> Iterable[list[str]]:
    """Whose chats these are, and what they are compared with, or who asked."""
    period, chosen, analysis = data.period, data.filter, data.analysis
    if not analysis:
        name = say.label(chosen.scope, chosen.name) if chosen.scope in ("channel", "direction") else chosen.name
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


def kpi_name(kpi: Kpi, data: ReportData, say: Wording) -> str:
    """What a figure is called in this report."""
    if kpi.metric == "chats_created" and data.direction != "incoming":
        return say.text("kpi.chats_created.of", direction=say.kind(data.direction))
    return say.text(f"kpi.{kpi.metric}")


def population(data: ReportData, say: Wording) -> str:
    """Which chats the figures are of, how many there are of the others, and why there are no times, if so."""
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
    apart = "" if data.filter.has_times else f" {say.text('population.several_sources')}"
    return f"{say.text(of, direction=say.kind(data.direction))} {told}{apart}"


def classified_by(data: ReportData, say: Wording) -> str:
    """The badge: who gave the categories."""
    sources = [say.text(f"source.{source}") for source in counts_by_source(data.insights)]
    if not sources:
        return say.text("badge.none")
    *most, last = sources
    return say.text("badge", sources=f"{', '.join(most)}{say.text('badge.and')}{last}" if most else last)


def counts_by_source(insights: Insights) -> dict[str, int]:
    """How many chats each kind of source categorized."""
    counts = {
        "rules": insights.by_rules_count,
        "model": insights.by_model_count,
        "fake": insights.by_stand_in_count,
        "people": insights.by_people_count,
    }
    return {source: count for source, count in counts.items() if count}


def not_categorized(insights: Insights, say: Wording) -> str:
    """How many chats a language model has not categorized, as a sentence that follows another; empty for none."""
    waiting, unanswered = insights.waiting_count, insights.unanswered_count
    if not waiting + unanswered:
        return ""
    return " " + say.text("insights.waiting", waiting=say.number(waiting), unanswered=say.number(unanswered))


def names_apart(members: tuple[Member, ...], kind: str, say: Wording) -> dict[str, str]:
    """The members' names by their ids; where several have the same one, with the id behind it."""
    names = {member.id: say.label(kind, member.name) for member in members}
    often = Counter(names.values())
    return {key: f"{name} ({key})" if often[name] > 1 and key != name else name for key, name in names.items()}


def shortened(name: str, length: int = NAME_LENGTH) -> str:
    """A name of at most so many characters, which lines can break anywhere where it has no spaces."""
    plain = re.sub(r"\s+", " ", name).strip()
    cut = plain if len(plain) <= length else plain[: length - 1].rstrip() + "…"
    return re.sub(r"(\S{18})(?=\S{3})", "\\1\u200b", cut)
