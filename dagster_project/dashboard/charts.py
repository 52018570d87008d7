"""Where the columns and lines of a chart stand, in percent of it: SVG scales the places, and no text with them."""

import math
from collections.abc import Sequence
from itertools import groupby

from dagster_project.dashboard.blocks import Bar, Columns, Line, Lines, Part, Stacks
from dagster_project.exports.report.view.charts import ViewModel

_HEADROOM = 0.86  # what the highest column takes of the height: its number stands above it
_MAX_LABELS = 14


def columns(chart: ViewModel, note: str = "") -> Columns:
    """Columns of a chart of the report (`view.charts.bars`)."""
    values: list[float | None] = chart["values"]
    highest = max((value for value in values if value), default=1)
    step = 100 / max(len(values), 1)
    every = -(-len(values) // _MAX_LABELS)
    return Columns(
        chart["title"],
        chart["alt"],
        [
            Bar(
                x=step * (place + 0.14),
                width=step * 0.72,
                height=100 * _HEADROOM * (value or 0) / highest,
                label=label,
                text=text,
                is_strong=not chart["last_stands_out"] or place == len(values) - 1,
                is_labelled=(len(values) - 1 - place) % every == 0,
            )
            for place, (value, label, text) in enumerate(zip(values, chart["labels"], chart["texts"], strict=True))
        ],
        note,
    )


def lines(chart: ViewModel, note: str = "", *, is_logarithmic: bool = False) -> Lines:
    """Lines of a chart of the report: `series`, `labels`, and `ticks`, which give the scale."""
    ticks = [tick["value"] for tick in chart["ticks"]] or [0, 1]
    low, high = min(ticks), max(ticks)

    def height(value: float) -> float:
        bounded = min(max(value, low), high)
        if is_logarithmic:
            return _share(math.log(max(bounded, 1)), math.log(max(low, 1)), math.log(max(high, 1)))
        return _share(bounded, low, high)

    labels, count = chart["labels"], len(chart["labels"])
    every = -(-count // _MAX_LABELS)
    places = [100 * (place + 0.5) / max(count, 1) for place in range(count)]
    goal = chart.get("goal")
    return Lines(
        chart["title"],
        chart["alt"],
        [
            Line(
                series["name"],
                _pieces(
                    [
                        None if value is None else (place, 100 - height(value))
                        for place, value in zip(places, series["values"], strict=True)
                    ]
                ),
            )
            for series in chart["series"]
        ],
        [(100 - height(tick["value"]), tick["label"]) for tick in chart["ticks"]],
        [
            (place, label)
            for number, (place, label) in enumerate(zip(places, labels, strict=True))
            if (count - 1 - number) % every == 0
        ],
        None if goal is None else (100 - height(goal), chart["goal_label"]),
        note,
    )


def spark(name: str, values: Sequence[float | None]) -> Line | None:
    """A small line without scale, from 0; None where there are no two points to draw."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    highest = max(known) or 1
    step = 96 / (len(values) - 1)
    return Line(
        name,
        _pieces(
            [
                None if value is None else (2 + step * place, 92 - 84 * value / highest)
                for place, value in enumerate(values)
            ]
        ),
    )


def stacks(chart: ViewModel) -> Stacks:
    """Bars by their parts (`waits.times`, its `buckets`)."""
    rows = []
    for row in chart["rows"]:
        parts, x = [], 0.0
        for shade, share in enumerate(row["shares"], start=1):
            text, label = row["texts"][shade - 1], chart["labels"][shade - 1]
            parts.append(Part(shade, x, 100 * share, text if share >= 0.07 else "", f"{label}: {text}"))
            x += 100 * share
        rows.append((row["label"], row["count"], parts))
    return Stacks(chart["title"], chart["labels"], rows, chart["caption"])


def _share(value: float, low: float, high: float) -> float:
    return 100 * (value - low) / (high - low) if high > low else 0


def _pieces(points: list[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The points that follow each other without a gap."""
    return [
        [point for point in piece if point]
        for is_known, piece in groupby(points, key=lambda point: point is not None)
        if is_known
    ]
