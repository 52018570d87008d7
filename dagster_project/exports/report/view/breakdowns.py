"""Of a report's view model: who did what, and what the chats were about."""

from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.breakdowns import Insights, Member, Share
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.phrases import (
    classified_by,
    counts_by_source,
    names_apart,
    not_categorized,
    shortened,
)
from dagster_project.exports.report.view import parts
from dagster_project.exports.report.view.charts import (
    ViewModel,
)

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


def agents(data: ReportData, say: Wording) -> ViewModel:
    return {
        "title": say.text("section.agents"),
        "caption": say.text(
            "agents.caption.analysis" if data.analysis else "agents.caption",
            badge=classified_by(data, say),
            kind=say.kind(data.direction),
            goal=say.percent(data.sla[0].goal, 0),
        ),
        "count": say.text("agents.count", count=say.number(len(data.agents))) if len(data.agents) > 1 else "",
        **_breakdown(data, data.agents, "agent", [*_COLUMNS, "quality"], say),
        "note": "" if data.agents else say.text("agents.none"),
    }


def groups(data: ReportData, say: Wording) -> ViewModel:
    channels = () if data.analysis else data.channels  # an analysis knows nothing of them but their chats
    columns = [*_COLUMNS, "share"]
    tables = [
        _breakdown(data, data.departments, "department", columns, say),
        _breakdown(data, channels, "channel", columns, say),
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


def _breakdown(data: ReportData, members: tuple[Member, ...], kind: str, columns: list[str], say: Wording) -> ViewModel:
    """A table of agents, departments or channels; widths of its columns but the first in millimetres."""
    shown = [column for column in columns if (column in _OF_ANALYSES if data.analysis else column != "messages")]
    names = names_apart(members, kind, say)
    whole = sum(member.chat_count for member in members)
    heads = [kind, *shown]

    def row(member: Member) -> list[str]:
        cells = {
            "chats": say.number(member.chat_count),
            "messages": say.number(member.message_count),
            "first_response": parts.measured(member.first_response_p50_seconds, member.first_response_count, say),
            "first_response_p90": parts.measured(member.first_response_p90_seconds, member.first_response_count, say),
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


def insights(data: ReportData, say: Wording) -> ViewModel:
    insights = data.insights

    def bars(kind: str, shares: tuple[Share, ...]) -> list[ViewModel]:
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
    sources = counts_by_source(insights)
    if list(sources) in (["rules"], ["model"]):
        return say.text(f"insights.{next(iter(sources))}")
    told = [
        say.text("insights.source", count=say.number(count), source=say.text(f"source.{source}"))
        for source, count in sources.items()
    ]
    return say.text("insights.mixed", sources=", ".join(told))


def _intents(data: ReportData, say: Wording) -> ViewModel:
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
                parts.measured(intent.first_response_p50_seconds, intent.first_response_count, say),
            ]
            for intent in data.intents
        ],
        "caption": say.text("intents.caption"),
    }
