"""What a person calls a column of a mart, in Spanish and English: the heads of csv-excel."""

import re
from functools import cache

from dagster_project.exports.i18n.catalogue import group
from dagster_project.exports.i18n.language import Language, place_of

_CLOCKS = ("wall", "calendar", "business")
_CHANGE = re.compile(r"(.+)_(delta_pct|delta)")


def is_other_language(column: str, language: Language) -> bool:
    """Whether a column is the label for readers of the other language."""
    return column.endswith("_en" if language == "es" else "_es")


def title(column: str, language: Language) -> str:
    """The head of a column; times are in minutes. A column that has none is called by its name, without underscores."""
    place, titles = place_of(language), group("column_title")
    name = column if column in titles else column.removesuffix(f"_{language}")
    if name in titles:
        return titles[name][place]
    if name.startswith("previous_"):
        return f"{title(name.removeprefix('previous_'), language)}, {group('title_part')['before'][place]}"
    if change := _CHANGE.fullmatch(name):
        return f"{_changed(change[1], language)}, {group('title_part')['change'][place]}"
    if time := _pattern(r"(?:({measure})_)?({time})(_business)?_seconds").fullmatch(name):
        measure = f", {group('measure')[time[1]][place]}" if time[1] else ""
        return f"{group('time')[time[2]][place]}{measure}{_clock('business' if time[3] else '', place)} (min)"
    if sla := _pattern(r"sla_({time})_({clock})_({sla_part})").fullmatch(name):
        of, what = group("time")[sla[1]][place].lower(), group("sla_part")[sla[3]][place]
        return f"SLA {of}{_clock(sla[2], place)}: {what}"
    words = name.removesuffix("_seconds").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}{' (min)' if name.endswith('_seconds') else ''}"


def _changed(name: str, language: Language) -> str:
    """The title of what changes: `mean_pickup` is a time, as `mean_pickup_seconds` is."""
    is_time = _pattern(r"({measure})_({time})").fullmatch(name)
    return title(f"{name}_seconds", language).removesuffix(" (min)") if is_time else title(name, language)


def _clock(clock: str, place: int) -> str:
    """What is said of a clock that is not the calendar's."""
    return f", {group('title_part')['business'][place]}" if clock == "business" else ""


@cache
def _pattern(of: str) -> re.Pattern[str]:
    """A pattern of column names, in which `{group}` stands for the members of a group of the catalogue."""
    members = {name: "|".join(group(name)) for name in ("measure", "time", "sla_part")}
    return re.compile(of.format(**members, clock="|".join(_CLOCKS)))
