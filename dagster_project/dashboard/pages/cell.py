"""The chats behind one cell of the heatmap: who answered them, and each of them to look up in B2Chat."""

from dataclasses import dataclass
from datetime import datetime

from dagster_project.dashboard.blocks import Card, Cards, Cell, Section, Table, Text
from dagster_project.dashboard.pages.heatmap import of_filters
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.queries import select
from dagster_project.exports.report.phrases import shortened

MAX_CHATS = 500


@dataclass(frozen=True)
class _Summary:
    chat_count: int
    mean_first_response_seconds: float | None
    p50_first_response_seconds: float | None
    p90_first_response_seconds: float | None
    band: str
    has_enough_chats: bool


@dataclass(frozen=True)
class _Chat:
    slowest_rank: int
    chat_id: str
    chat_agent_name: str | None
    department_name: str | None
    channel: str
    status: str
    created_at: datetime
    first_response_seconds: float
    performance: str
    source: str


@dataclass(frozen=True)
class _Member:
    chat_count: int
    dimension: str
    member: str
    member_label: str
    mean_first_response_seconds: float


def page(shown: Shown, day_of_week: int, hour: int) -> list[Section]:
    say = shown.say
    where = of_filters(shown) | {"day_of_week": day_of_week, "hour": hour}
    found = select(shown.connection, _Summary, "marts.weekly_response_time_heatmap", where)
    title = say.text("dashboard.chats_of", slot=f"{say.weekday(day_of_week, long=True)} {hour:02}:00–{hour + 1:02}:00")
    if not found or not found[0].chat_count:
        return [Section(title, [Text([say.text("dashboard.empty_cell")])])]
    [cell] = found
    chats = select(shown.connection, _Chat, "marts.heatmap_cell_chats", where, order_by="slowest_rank", limit=MAX_CHATS)
    members = select(
        shown.connection,
        _Member,
        "marts.heatmap_cell_breakdown",
        where,
        order_by="dimension, chat_count desc, member_label",
    )
    band = say.label("band", cell.band).lower() if cell.has_enough_chats else say.text("dashboard.small_sample")
    cards = [
        Card(
            say.text("column_title.first_response_count"),
            say.number(cell.chat_count),
            below=say.text("dashboard.band", band=band),
        ),
        *(
            Card(say.text(key), say.duration(getattr(cell, f"{measure}_first_response_seconds")))
            for key, measure in (
                ("kpi.first_response_p50", "p50"),
                ("kpi_metrics.first_response_mean", "mean"),
                ("kpi.first_response_p90", "p90"),
            )
        ),
    ]
    return [
        Section(title, [Cards(cards)]),
        Section(
            say.text("dashboard.by_agent_and_status"),
            [_members(members, dimension, shown) for dimension in ("agent", "status")],
            is_split=True,
        ),
        Section(
            say.text("column_title.first_response_count"),
            [_chats(chats, shown)],
            intro=say.text("dashboard.cut", shown=say.number(len(chats)), count=say.number(cell.chat_count))
            if len(chats) < cell.chat_count
            else "",
        ),
    ]


def _members(members: list[_Member], dimension: str, shown: Shown) -> Table:
    say = shown.say
    of_dimension = [member for member in members if member.dimension == dimension]
    most = max(member.chat_count for member in of_dimension)
    title = say.text("column.agent" if dimension == "agent" else "column_title.status")
    return Table(
        title,
        [title, say.text("column.count"), say.text("column.mean")],
        [
            [
                Cell(
                    shortened(
                        say.label("status", member.member_label) if dimension == "status" else _known(member, shown)
                    )
                ),
                Cell(say.number(member.chat_count), share=member.chat_count / most),
                Cell(say.duration(member.mean_first_response_seconds)),
            ]
            for member in of_dimension
        ],
        is_caption_shown=False,
    )


def _known(member: _Member, shown: Shown) -> str:
    return shown.say.text("dashboard.no_agent") if member.member == "none" else member.member_label


def _chats(chats: list[_Chat], shown: Shown) -> Table:
    say, zone = shown.say, shown.account.timezone
    heads = ("chat_id", "agent", "department", "channel")
    return Table(
        say.text("column_title.first_response_count"),
        [
            *(say.text(f"column.{head}") for head in heads),
            *(say.text(key) for key in ("column_title.status", "column.created", "column.waited")),
            say.text("dashboard.against_week"),
        ],
        [
            [
                Cell(shortened(chat.chat_id, 40)),
                Cell(shortened(chat.chat_agent_name or "–", 40)),
                Cell(shortened(chat.department_name or "–", 40)),
                Cell(say.label("channel", chat.channel)),
                Cell(say.label("status", chat.status)),
                Cell(say.short_instant(chat.created_at, zone)),
                Cell(say.duration(chat.first_response_seconds)),
                Cell(say.text(f"dashboard.performance.{chat.performance}"), mark=chat.performance),
            ]
            for chat in chats
        ],
        texts=(0, 1, 2, 3, 4, 5, 7),
        is_caption_shown=False,
    )
