"""The first page: the week's figures with their changes, what they say in sentences, and the weeks before."""

from dagster_project.dashboard import charts
from dagster_project.dashboard.blocks import Card, Cards, Line, Section, Text
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.report.data.kpis import Kpi
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.data.times import TrendPoint
from dagster_project.exports.report.phrases import classified_by, population
from dagster_project.exports.report.reading import breakdowns, kpis, times
from dagster_project.exports.report.reading.account import slot_min_chat_count
from dagster_project.exports.report.reading.report import history_start
from dagster_project.exports.report.view import charts as told
from dagster_project.exports.report.view.insights import findings
from dagster_project.exports.report.view.model import TILES, tile

_HISTORY = {
    "chats_created": "chat_count",
    "first_response_p50": "first_response_p50_seconds",
    "first_response_p90": "first_response_p90_seconds",
    "sla_overall_rate": "sla_rate",
}


def page(shown: Shown) -> list[Section]:
    data, say = _read(shown), shown.say
    numbers = {kpi.metric: kpi for kpi in data.summary}
    cards = [_card(numbers[metric], data, shown) for metric in TILES]
    sentences = list(findings(data, say, badge=classified_by(data, say)))
    trends = [
        charts.columns(
            told.bars(
                [(told.point_label(points, point, data, say), point.chat_count) for point in points],
                say,
                say.text(title, kind=say.kind(data.direction)),
            )
            | {"last_stands_out": points is data.history},
            note="" if all(point.is_whole for point in points) else say.text("chart.partial"),
        )
        for points, title in ((data.history, "chart.week"), (data.days, "chart.days"))
        if len(points) > 1
    ]
    return [
        Section(say.text("section.summary"), [Cards(cards)], intro=population(data, say)),
        Section(say.text("findings"), [Text(sentences)]),
        Section(say.text("sheet.history"), trends, is_split=True),
    ]


def _read(shown: Shown) -> ReportData:
    selection = shown.selection
    backlog = kpis.backlog(selection)
    return shown.report(
        summary=kpis.of_metrics(selection, kpis.SUMMARY, backlog),
        days=times.trend(selection, "day", selection.period.start),
        history=times.trend(selection, "week", history_start(selection.period)),
        sla=times.sla(selection),
        slots=times.slots(selection),
        slot_min_chat_count=slot_min_chat_count(selection.connection),
        traffic=times.traffic(selection),
        backlog=backlog,
        insights=breakdowns.insights(selection),
        others=breakdowns.populations(selection),
    )


def _card(kpi: Kpi, data: ReportData, shown: Shown) -> Card:
    texts = tile(kpi, data, shown.say)
    return Card(
        texts["label"],
        "–" if texts["empty"] else texts["value"],
        texts["made_of"],
        texts["empty"],
        texts["change"],
        texts["verdict"],
        texts["before"],
        spark := _spark(kpi, data.history),
        (shown.say.short_day(data.history[0].start), shown.say.short_day(data.history[-1].start)) if spark else None,
    )


def _spark(kpi: Kpi, history: tuple[TrendPoint, ...]) -> Line | None:
    """The weeks so far; of a sum, those that are whole."""
    column = _HISTORY.get(kpi.metric)
    if not column:
        return None
    is_sum = kpi.unit not in ("seconds", "share")
    return charts.spark(
        kpi.metric, [None if is_sum and not point.is_whole else getattr(point, column) for point in history]
    )
