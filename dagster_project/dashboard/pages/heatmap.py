"""The heatmap: first responses by weekday and hour, with the value in each cell; a served one leads to its chats."""

from dataclasses import dataclass
from typing import Any

from dagster_project.dashboard.blocks import Card, Cards, Cell, HeatCell, Heatmap, Section, Table, Text
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.pictures import heatmap
from dagster_project.exports.queries import select
from dagster_project.exports.report.data.about import DIRECTIONS
from dagster_project.exports.report.data.kpis import Kpi, Unit
from dagster_project.exports.report.reading import times
from dagster_project.exports.report.view.charts import BAND_SHADES, shaded
from dagster_project.exports.report.view.waits import actions
from dagster_project.exports.week import CELLS, MONDAY_FIRST


@dataclass(frozen=True)
class WeekCell(heatmap.Cell):
    """A cell of the week, and whether it has enough chats to be called fast or slow."""

    has_enough_chats: bool

    @property
    def slot(self) -> tuple[int, int]:
        """Where it stands."""
        return self.day_of_week, self.hour


@dataclass(frozen=True)
class WeekSummary:
    """The week as a whole, beside the week before."""

    chat_count: int
    mean_seconds: float | None
    p50_seconds: float | None
    p90_seconds: float | None
    previous_chat_count: int
    previous_mean_seconds: float | None
    previous_p50_seconds: float | None
    previous_p90_seconds: float | None
    slot_min_chat_count: int
    fastest_day_of_week: int | None
    fastest_hour: int | None
    fastest_mean_seconds: float | None
    fastest_chat_count: int | None
    slowest_day_of_week: int | None
    slowest_hour: int | None
    slowest_mean_seconds: float | None
    slowest_chat_count: int | None


_SECONDS: dict[str, Any] = {f"{of}_seconds": f"{of}_first_response_seconds" for of in ("mean", "p50", "p90")}
_BEFORE: dict[str, Any] = {f"previous_{field}": f"previous_{column}" for field, column in _SECONDS.items()}


def page(shown: Shown) -> list[Section]:
    say, where = shown.say, of_filters(shown)
    cells = {
        cell.slot: cell
        for cell in select(shown.connection, WeekCell, "marts.weekly_response_time_heatmap", where, **_SECONDS)
    }
    weeks = select(shown.connection, WeekSummary, "marts.weekly_response_time_summary", where, **_SECONDS | _BEFORE)
    if not weeks:
        return [Section(say.text("section.heatmap.week"), [Text([say.text("finding.none")])])]
    [week] = weeks
    grid = [cells[place] for place in CELLS]
    blocks: list[Any] = [_heatmap(grid, week, shown)]
    if not week.chat_count:
        blocks.insert(0, Text([say.text("finding.none")]))
    sections = [
        Section(say.text("metric.first_response"), [Cards(_cards(week, shown))]),
        Section(say.text("section.heatmap.week"), blocks),
    ]
    if shown.filters.direction in DIRECTIONS and shown.filters.office_hours == "all":
        sections += _slowest(shown, week)
    return sections


def of_filters(shown: Shown) -> dict[str, Any]:
    """The rows of the heatmap's marts."""
    return {
        "week_start": shown.filters.week,
        "scope": shown.filters.member.scope,
        "scope_id": shown.filters.member.id,
        "direction_filter": shown.filters.direction,
        "office_hours_filter": shown.filters.office_hours,
    }


def _cards(week: WeekSummary, shown: Shown) -> list[Card]:
    say = shown.say
    is_whole = shown.selection.is_complete and shown.selection.is_previous_complete
    cards = [
        _figure("column_title.first_response_count", "chats", week.chat_count, week.previous_chat_count, say, is_whole),
        _figure("kpi.first_response_p50", "seconds", week.p50_seconds, week.previous_p50_seconds, say),
        _figure("kpi_metrics.first_response_mean", "seconds", week.mean_seconds, week.previous_mean_seconds, say),
        _figure("kpi.first_response_p90", "seconds", week.p90_seconds, week.previous_p90_seconds, say),
    ]
    for name in ("fastest", "slowest"):
        day, hour, mean, count = (
            getattr(week, f"{name}_{part}") for part in ("day_of_week", "hour", "mean_seconds", "chat_count")
        )
        below = say.text("dashboard.slot_figures", mean=say.duration(mean), count=say.number(count))
        few = say.text("actions.slots.none", enough=week.slot_min_chat_count)
        if not shown.filters.member.has_times:
            few = say.text("badge.several_sources")
        if name == "fastest" and (day, hour) == (week.slowest_day_of_week, week.slowest_hour) != (None, None):
            day, few = None, say.text("dashboard.one_slot", enough=week.slot_min_chat_count)
        cards.append(
            Card(say.text(f"dashboard.{name}"), "–", few, is_empty=True)
            if day is None
            else Card(say.text(f"dashboard.{name}"), _slot(day, hour, say), below)
        )
    return cards


def _figure(
    key: str, unit: Unit, value: float | None, previous: float | None, say: Wording, is_comparable: bool = True
) -> Card:
    better: Any = "lower" if unit == "seconds" else None
    kpi = Kpi(key, unit, better, value, 0, previous, is_comparable)
    before = say.text("before", value=say.value(previous, unit)) if previous is not None else ""
    text = "–" if value is None else say.value(value, unit)
    return Card(say.text(key), text, "", value is None, say.change(kpi), kpi.verdict or "none", before)


def _slot(day: int, hour: int, say: Wording) -> str:
    return f"{say.weekday(day)} {hour:02}:00"


def _heatmap(grid: list[WeekCell], week: WeekSummary, shown: Shown) -> Heatmap:
    say, measure = shown.say, shown.filters.measure
    if measure == "chats":
        texts = [say.number(cell.chat_count) if cell.chat_count else "" for cell in grid]
        small = [False] * len(grid)
    else:
        values = [getattr(cell, f"{measure}_seconds") for cell in grid]
        texts = ["" if value is None else heatmap.short(value) for value in values]
        small = [bool(cell.chat_count) and not cell.has_enough_chats for cell in grid]
    shades, legend = _by_band(grid, say) if measure == "mean" else _by_fifths(grid, measure, say)
    made = [
        HeatCell(
            text,
            shade,
            _told(cell, say) if cell.chat_count else "",
            shown.links.cell(*cell.slot) if cell.chat_count else "",
            is_small,
        )
        for cell, text, shade, is_small in zip(grid, texts, shades, small, strict=True)
    ]
    notes = [say.text(f"dashboard.tone.{measure}")]
    if measure != "chats":
        notes += [say.text("dashboard.tone.few", enough=week.slot_min_chat_count), say.text("heatmap.units")]
    if shown.links.is_live and week.chat_count:
        notes.append(say.text("dashboard.open_cell"))
    return Heatmap(
        say.text("dashboard.heatmap_caption", measure=say.text(f"dashboard.measure.{measure}")),
        say.text("heatmap.day"),
        [say.weekday(day, long=True) for day in MONDAY_FIRST],
        [made[start : start + 24] for start in range(0, len(made), 24)],
        legend,
        "volume" if measure == "chats" else "waits",
        notes,
    )


def _by_band(grid: list[WeekCell], say: Wording) -> tuple[list[int], list[tuple[int, str]]]:
    """The shades of the bands, which are of the mean, and from which mean to which each goes in this week."""
    shades = [BAND_SHADES[cell.band] if cell.has_enough_chats else 0 for cell in grid]
    legend = []
    for band, shade in BAND_SHADES.items():
        means = [cell.mean_seconds for cell in grid if cell.band == band and cell.mean_seconds is not None]
        if shade and means:
            span = dict.fromkeys(say.duration(mean) for mean in (min(means), max(means)))
            legend.append((shade, f"{say.label('band', band)} ({' – '.join(span)})"))
    return shades, legend


def _by_fifths(grid: list[WeekCell], measure: str, say: Wording) -> tuple[list[int], list[tuple[int, str]]]:
    """Shades by fifths of the shown figure: no band is of it."""
    if measure == "chats":
        of_cells = shaded([cell.chat_count or None for cell in grid], say)
    else:
        figures = [getattr(cell, f"{measure}_seconds") if cell.has_enough_chats else None for cell in grid]
        of_cells = shaded(figures, say, say.duration)
    legend = [(entry["shade"], entry["label"]) for entry in of_cells["legend"]]
    return [cell["shade"] for row in of_cells["rows"] for cell in row], legend


def _told(cell: WeekCell, say: Wording) -> str:
    """What a cell says when it is asked."""
    return say.text(
        "dashboard.cell",
        slot=f"{say.weekday(cell.day_of_week, long=True)} {cell.hour:02}:00–{cell.hour + 1:02}:00",
        p50=say.duration(cell.p50_seconds),
        mean=say.duration(cell.mean_seconds),
        p90=say.duration(cell.p90_seconds),
        chats=say.chats(cell.chat_count),
        band=say.label("band", cell.band).lower() if cell.has_enough_chats else say.text("dashboard.small_sample"),
    )


def _slowest(shown: Shown, week: WeekSummary) -> list[Section]:
    """The slowest slots with the chats to look up in B2Chat."""
    say, selection = shown.say, shown.selection
    told = actions(
        shown.report(
            sla=times.sla(selection), slots=times.slots(selection), slot_min_chat_count=week.slot_min_chat_count
        ),
        say,
    )
    tables = [
        Table(
            f"{slot['title']} · {slot['figures']}",
            told["columns"],
            [[Cell(text) for text in row] for row in slot["rows"]],
            texts=(0, 1, 2, 3),
        )
        for slot in told["slots"]
    ]
    return [Section(told["slots_title"], tables, intro=told["slots_why"])] if tables else []
