"""A report in a few sentences: what a reader would say of its numbers."""

from collections.abc import Iterable

from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.data.times import HeatmapCell, TrafficCell


def findings(data: ReportData, say: Wording, *, badge: str) -> Iterable[str]:
    """What a reader would say of the numbers, in sentences that follow from them."""
    kpis = {kpi.metric: kpi for kpi in data.summary}
    created, median, p90 = data.summary[0], kpis["first_response_p50"], kpis["first_response_p90"]
    if not created.value:
        yield say.text("finding.none")
        return
    yield _volume(data, say)
    if median.value is not None:
        yield say.text(
            "finding.speed", chats=say.chats(median.count), p50=say.duration(median.value), p90=say.duration(p90.value)
        )
    overall = data.sla[0]
    if overall.rate is not None:
        first = next(target for target in data.sla if (target.metric, target.clock) == ("first_response", "wall"))
        yield say.text(
            "finding.sla",
            rate=say.percent(overall.rate),
            judged=say.chats(overall.met_count + overall.breached_count),
            goal=say.percent(overall.goal, 0),
            first=say.percent(first.rate),
        )
    slowest = data.slots[0].cell if data.slots else None
    if slowest:
        yield say.text(
            "finding.slowest",
            enough=data.slot_min_chat_count,
            mean=say.duration(slowest.mean_seconds),
            **slot(slowest, say),
            chats=say.chats(slowest.chat_count),
        )
    busiest = busiest_cell(data.traffic)
    if busiest:
        yield say.text("finding.busiest", **slot(busiest, say), chats=say.chats(busiest.chat_count))
    known = [midnight for midnight in data.backlog if midnight.open_count is not None]
    if known:
        yield say.text(
            "finding.backlog", chats=say.chats(known[-1].open_count or 0), old=say.number(known[-1].over_7d_count)
        )
    if data.insights.intents:
        first_intent = data.insights.intents[0]
        yield say.text(
            "finding.intent",
            intent=say.label("intent", first_intent.label).lower(),
            share=say.percent(first_intent.share),
            count=say.number(data.insights.categorized_count),
            badge=badge,
        )


def _volume(data: ReportData, say: Wording) -> str:
    created = data.summary[0]
    change = _more_or_fewer(data, say)
    if data.analysis:
        return say.text("finding.analysed", count=say.number(created.value), change=change)
    unanswered = next((say.number(kpi.value) for kpi in data.summary if kpi.metric == "unanswered"), say.number(None))
    if data.direction == "incoming":
        return say.text("finding.volume", chats=say.chats(data.chat_count), change=change, unanswered=unanswered)
    return say.text(
        "finding.volume.of",
        direction=say.kind(data.direction),
        count=say.number(created.value),
        change=change,
        unanswered=unanswered,
    )


def _more_or_fewer(data: ReportData, say: Wording) -> str:
    created = data.summary[0]
    if created.change is None:
        return ""
    if created.change == 0:
        return say.text("finding.same")
    key = "finding.more" if created.change > 0 else "finding.fewer"
    return say.text(key, change=say.percent(abs(created.change)), previous=say.number(created.previous))


def busiest_cell(cells: Iterable[TrafficCell]) -> TrafficCell | None:
    """The cell with most chats, the earlier of equals; None where there are none."""
    return max((cell for cell in cells if cell.chat_count), key=lambda cell: cell.chat_count, default=None)


def slot(cell: HeatmapCell | TrafficCell, say: Wording) -> dict[str, str]:
    """A slot's weekday and hours as texts."""
    return {
        "day": say.weekday(cell.day_of_week, long=True),
        "from_hour": f"{cell.hour}:00",
        "to_hour": f"{cell.hour + 1}:00",
    }
