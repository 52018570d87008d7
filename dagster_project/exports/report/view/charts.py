"""What the template needs to draw a chart: its numbers, their texts and axes, and the chart told in words."""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.pictures.heatmap import short
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.data.times import Band, HeatmapCell, TrendPoint

SHADES = 5
BAND_SHADES: dict[Band, int] = {"no_data": 0, "fast": 1, "average": 3, "slow": 5}
ViewModel = dict[str, Any]


def bars(values: list[tuple[str, float | None]], say: Wording, title: str) -> ViewModel:
    """A bar chart's labels and numbers, and its text for those who do not see it."""
    told = "; ".join(f"{label}: {say.number(value)}" for label, value in values)
    return {
        "title": title,
        "labels": [label for label, _ in values],
        "values": [value for _, value in values],
        "texts": ["" if value is None else say.number(value) for _, value in values],
        "last_stands_out": False,
        "alt": say.text("bars.alt", title=title, values=told),
    }


def banded(cells: Sequence[HeatmapCell], say: Wording) -> ViewModel:
    """Medians in rows of 24, each with the shade of its cell's band; a cell of few chats has none."""
    shown = [
        {"text": "" if cell.p50_seconds is None else short(cell.p50_seconds), "shade": _band_shade(cell)}
        for cell in cells
    ]
    legend = [{"shade": shade, "label": say.label("band", band)} for band, shade in BAND_SHADES.items() if shade]
    return {"rows": _rows(shown), "legend": legend if any(cell["shade"] for cell in shown) else []}


def _band_shade(cell: HeatmapCell) -> int:
    return BAND_SHADES[cell.band] if cell.has_enough_chats else 0


def shaded(counts: Sequence[float | None], say: Wording, told: Callable[[float], str] | None = None) -> ViewModel:
    """Values in rows of 24, each with its shade: 0 for none, then by fifths of those that are there.

    Args:
        told: the text of a value; by default that of a count.
    """
    told = told or say.number
    filled = sorted(count for count in counts if count is not None)
    bounds = [filled[len(filled) * step // SHADES] for step in range(1, SHADES)] if filled else []
    cells = [
        {
            "text": "" if count is None else told(count),
            "shade": 0 if count is None else 1 + sum(count > bound for bound in bounds),
        }
        for count in counts
    ]
    legend = []
    if len(set(bounds)) == SHADES - 1:  # else so few cells are filled that their own texts say more
        labels = [say.text("legend.up_to", value=told(bound)) for bound in bounds]
        labels.append(say.text("legend.above", value=told(bounds[-1])))
        legend = [{"shade": shade, "label": label} for shade, label in enumerate(labels, start=1)]
    return {"rows": _rows(cells), "legend": legend}


def of_whole(shares: Sequence[float | None], say: Wording) -> ViewModel:
    """Shares in rows of 24, in percent, each with its shade: 0 for none at all, then by fifths of the whole."""
    cells = [
        {
            "text": "" if share is None else say.number(100 * share),
            "shade": min(ceil((share or 0) * SHADES), SHADES),
        }
        for share in shares
    ]
    legend = [
        {"shade": shade, "label": say.text("legend.up_to", value=say.percent(shade / SHADES, 0))}
        for shade in range(1, SHADES + 1)
    ]
    return {"rows": _rows(cells), "legend": legend}


def _rows(cells: list[ViewModel]) -> list[list[ViewModel]]:
    return [cells[start : start + 24] for start in range(0, len(cells), 24)]


def trend(points: tuple[TrendPoint, ...], title: str, data: ReportData, say: Wording) -> ViewModel:
    """First responses over days, weeks or months: the lines of the median and of p90."""
    labels = [point_label(points, point, data, say) for point in points]
    medians = [point.first_response_p50_seconds for point in points]
    p90s = [point.first_response_p90_seconds for point in points]
    values = "; ".join(
        f"{label}: {say.duration(median)}, p90 {say.duration(p90)}"
        for label, median, p90 in zip(labels, medians, p90s, strict=True)
    )
    return {
        "title": title,
        "labels": labels,
        "series": [
            {"name": say.text("column.p50"), "values": medians},
            {"name": say.text("column.p90"), "values": p90s},
        ],
        "ticks": _duration_ticks([value for value in (*medians, *p90s) if value is not None], say),
        "alt": say.text("trend.alt", title=title, values=values),
    }


def _duration_ticks(values: list[float], say: Wording) -> list[ViewModel]:
    """Round durations around the values, for an axis of logarithmic scale."""
    round_ones = [1, 10, 60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400]
    if not values:
        return []
    low = max((tick for tick in round_ones if tick <= max(min(values), 1)), default=1)
    high = min((tick for tick in round_ones if tick >= max(values)), default=max(values))
    return [{"value": tick, "label": say.duration(tick)} for tick in round_ones if low <= tick <= max(high, low * 2)]


def round_ticks(highest: float) -> list[int]:
    """From 0 in three to five even, round steps to the first that is not below the highest value."""
    step = 1
    while step * 5 < highest:
        step = next(size for size in (2 * step, 5 * step // 2, 5 * step) if str(size).strip("0") in ("1", "2", "5"))
    return list(range(0, step * max(-(-int(-(-highest // 1)) // step), 1) + 1, step))


def point_label(points: tuple[TrendPoint, ...], point: TrendPoint, data: ReportData, say: Wording) -> str:
    """What stands below a point: its day, week or month."""
    if points is data.days:
        return day_label(data, say, point)
    label = say.short_day(point.start) if data.period.kind == "week" else say.short_month(point.start)
    return label if point.is_whole else f"{label} *"


def day_label(data: ReportData, say: Wording, point: TrendPoint) -> str:
    """What stands below a day, as short as the period allows."""
    if data.period.kind == "month":
        return str(point.start.day)
    if data.period.day_count > 7:
        return say.short_day(point.start)
    return f"{say.weekday((point.start.weekday() + 1) % 7)} {point.start.day}"
