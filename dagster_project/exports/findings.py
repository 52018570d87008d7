"""A report in a few sentences: what a reader would say of its numbers."""

from collections.abc import Iterable

from dagster_project.exports.report import HeatmapCell, ReportData, TrafficCell
from dagster_project.exports.wording import Wording


def findings(data: ReportData, say: Wording, *, badge: str) -> Iterable[str]:
    """What a reader would say of the numbers, in sentences that follow from them."""
    kpis = {kpi.metric: kpi for kpi in data.summary}
    created, median, p90 = data.summary[0], kpis["first_response_p50"], kpis["first_response_p90"]
    if not created.value:
        yield say.text("finding.none")
        return
    volume = "finding.analysed" if data.analysis else "finding.volume"
    yield say.text(volume, count=say.number(created.value), change=_more_or_fewer(data, say))
    if median.value is not None:
        yield say.text("finding.speed", p50=say.duration(median.value), p90=say.duration(p90.value))
    slowest = slowest_cell(data)
    if slowest:
        yield say.text(
            "finding.slowest",
            enough=data.slot_min_chat_count,
            mean=say.duration(slowest.mean_seconds),
            **_slot(slowest, say),
        )
    busiest = busiest_cell(data.traffic)
    if busiest:
        yield say.text("finding.busiest", **_slot(busiest, say))
    overall = data.sla[0]
    if overall.rate is not None:
        yield say.text("finding.sla", rate=say.percent(overall.rate), goal=say.percent(overall.goal, 0))
    known = [midnight for midnight in data.backlog if midnight.open_count is not None]
    if known:
        yield say.text(
            "finding.backlog", chats=say.chats(known[-1].open_count or 0), old=say.number(known[-1].over_7d_count)
        )
    if data.insights.intents:
        first = data.insights.intents[0]
        yield say.text(
            "finding.intent",
            intent=say.label("intent", first.label).lower(),
            share=say.percent(first.share),
            badge=badge,
        )


def _more_or_fewer(data: ReportData, say: Wording) -> str:
    created = data.summary[0]
    if created.change is None:
        return ""
    if created.change == 0:
        return say.text("finding.same")
    key = "finding.more" if created.change > 0 else "finding.fewer"
    return say.text(key, change=say.percent(abs(created.change)), previous=say.number(created.previous))


def slowest_cell(data: ReportData) -> HeatmapCell | None:
    """The cell with the highest mean of those with enough chats, the earlier of equals; None where there is none."""
    filled = [cell for cell in data.heatmap if data.slot_min_chat_count and cell.chat_count >= data.slot_min_chat_count]
    return max(filled, key=lambda cell: cell.mean_seconds or 0, default=None)


def busiest_cell(cells: Iterable[TrafficCell]) -> TrafficCell | None:
    """The cell with most chats, the earlier of equals; None where there are none."""
    return max((cell for cell in cells if cell.chat_count), key=lambda cell: cell.chat_count, default=None)


def _slot(cell: HeatmapCell | TrafficCell, say: Wording) -> dict[str, str]:
    return {
        "day": say.weekday(cell.day_of_week, long=True),
        "from_hour": f"{cell.hour}:00",
        "to_hour": f"{cell.hour + 1}:00",
        "chats": say.chats(cell.chat_count),
    }
