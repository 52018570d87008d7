"""Agents, departments, channels and sources: how many chats they had, how soon they answered, how far the goal is."""

from dagster_project.dashboard.account import Member as Filterable
from dagster_project.dashboard.blocks import Cell, Section, Table
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.report.data.about import Scope
from dagster_project.exports.report.data.breakdowns import Member
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.phrases import classified_by, names_apart, shortened
from dagster_project.exports.report.reading import breakdowns, times

_COLUMNS = (
    *("chats", "first_response", "first_response_p90", "reply", "resolution", "sla", "gap"),
    *("open_breached", "others"),
)
_OF_AGENTS = ("messages", "concurrent", "quality")


def page(shown: Shown) -> list[Section]:
    say, selection = shown.say, shown.selection
    data = shown.report(sla=times.sla(selection), insights=breakdowns.insights(selection))
    kind, goal = say.kind(data.direction), say.percent(data.sla[0].goal, 0)
    sections = []
    groups: tuple[tuple[Scope, str, str], ...] = (
        ("agent", "section.agents", "agents.none"),
        ("department", "sheet.departments", "no_data"),
        ("channel", "sheet.channels", "no_data"),
        ("source", "sheet.sources", "no_data"),
    )
    chosen = shown.filters.member.scope
    for scope, title, none in groups:
        # One source alone is all chats, whose figures the overview has.
        is_of_all = chosen == "all" and (scope != "source" or shown.account.has_several_sources)
        if chosen == scope or is_of_all or (chosen == "source" and scope != "source"):
            members = breakdowns.breakdown(selection, scope)
            intro = "agents.caption" if scope == "agent" else "groups.caption"
            told = say.text(intro, badge=classified_by(data, say), kind=kind, goal=goal)
            table = _table(members, scope, say.text(title), say.text(none), data, shown)
            sections.append(Section(say.text(title), [table], intro=told))
    return sections


def _table(members: tuple[Member, ...], scope: Scope, title: str, none: str, data: ReportData, shown: Shown) -> Table:
    say = shown.say
    columns = (*_COLUMNS, *_OF_AGENTS) if scope == "agent" else (*_COLUMNS, "share")
    most = max((member.chat_count for member in members), default=0)
    whole = sum(member.chat_count for member in members)
    names = names_apart(members, scope, say)
    enough = data.slot_min_chat_count or 0

    def row(member: Member) -> list[Cell]:
        few = say.text("dashboard.few") if 0 < member.sla_judged_count < enough else ""
        cells = {
            "chats": Cell(say.number(member.chat_count), share=member.chat_count / most if most else None),
            "first_response": Cell(_time(member.first_response_p50_seconds, shown)),
            "first_response_p90": Cell(_time(member.first_response_p90_seconds, shown)),
            "reply": Cell(_time(member.reply_p50_seconds, shown)),
            "resolution": Cell(_time(member.resolution_p50_seconds, shown)),
            "sla": Cell(_percent(member.sla_rate, shown), share=member.sla_rate, goal=member.sla_goal, note=few),
            "gap": Cell(say.gap(member.sla_rate, member.sla_goal)),
            "open_breached": Cell(say.number(member.open_breached_count)),
            "others": Cell(say.number(member.other_chat_count)),
            "messages": Cell(say.number(member.message_count)),
            "concurrent": Cell(_number(member.mean_concurrent_chats, shown)),
            "quality": Cell(_number(member.mean_quality, shown)),
            "share": Cell(_percent(member.chat_count / whole if whole else None, shown)),
        }
        link = shown.links.member("overview", Filterable(scope, member.id, member.name))
        return [Cell(shortened(names[member.id]), link), *(cells[column] for column in columns)]

    heads = [say.text("head.concurrent" if column == "concurrent" else f"column.{column}") for column in columns]
    return Table(
        title,
        [say.text(f"column.{scope}"), *heads],
        [row(member) for member in members],
        empty=none,
        is_caption_shown=False,
    )


def _time(seconds: float | None, shown: Shown) -> str:
    return "–" if seconds is None else shown.say.duration(seconds)


def _percent(share: float | None, shown: Shown) -> str:
    return "–" if share is None else shown.say.percent(share, 0)


def _number(value: float | None, shown: Shown) -> str:
    return "–" if value is None else shown.say.number(value, 1)
