"""Of a report's view model: the parts that sections of rooms and of calls are made of."""

from collections.abc import Sequence

from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.kpis import Better, Kpi, Unit
from dagster_project.exports.report.view.charts import ViewModel

NONE = "–"  # in a cell: it is not known


def tile(
    label: str,
    unit: Unit,
    better: Better | None,
    value: float | None,
    previous: float | None,
    made_of: str,
    say: Wording,
) -> ViewModel:
    """A figure with its name, what it is made of, and how it was before."""
    kpi = Kpi(label, unit, better, value, 0, previous)
    return {
        "label": label,
        "value": say.value(value, unit),
        "empty": value is None,
        "made_of": made_of,
        "change": say.change(kpi),
        "verdict": kpi.verdict or "none",
        "before": "" if previous is None else say.text("before", value=say.value(previous, unit)),
    }


def table(
    group: str,
    name: str,
    heads: Sequence[str],
    widths: Sequence[int],
    rows: list[list[str]],
    say: Wording,
    *,
    texts: int = 1,
    caption: str = "",
) -> ViewModel:
    """A table, by the words of a group of the catalogue.

    Args:
        widths: millimetres of all columns but the first, which takes what is left.
        texts: how many of the first columns hold no numbers.
    """
    return {
        "title": say.text(f"{group}.{name}"),
        "columns": [say.text(f"{group}.head.{head}") for head in heads],
        "widths": list(widths),
        "texts": texts,
        "rows": rows,
        "caption": caption,
    }


def filled(*tables: ViewModel) -> list[ViewModel]:
    """Those tables that have rows."""
    return [one for one in tables if one["rows"]]


def time(seconds: float | None, say: Wording) -> str:
    """A duration in a cell."""
    return NONE if seconds is None else say.duration(seconds)


def measured(seconds: float | None, count: int, say: Wording) -> str:
    """A duration of so many chats in a cell: no data where there are none; of several sources there is none to tell."""
    return NONE if seconds is None and count else say.duration(seconds)


def share(part: float | None, say: Wording) -> str:
    """A share in a cell, in whole percent."""
    return NONE if part is None else say.percent(part, 0)


def number(value: float | None, say: Wording, decimals: int = 0) -> str:
    """A number in a cell."""
    return NONE if value is None else say.number(value, decimals)


def signed(value: float | None, say: Wording) -> str:
    """A difference in a cell, with its sign."""
    if value is None:
        return NONE
    shown = say.number(abs(value), 1)
    return shown if round(value, 1) == 0 else f"{'+' if value > 0 else '−'}{shown}"
