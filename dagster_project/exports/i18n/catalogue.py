"""The words of tables and reports, Spanish and English: `catalogue.toml`, the taxonomy of labels, seeds of dbt."""

import tomllib
from functools import cache
from pathlib import Path

from dagster_project.analysis.taxonomy import taxonomy
from dagster_project.warehouse import seeds

Words = tuple[str, str]  # Spanish, English

_FILE = Path(__file__).with_name("catalogue.toml")
_ALONE = "report"  # the group whose keys stand alone
_SORTED_SETS = ("band", "direction_filter", "office_hours_filter")


@cache
def texts() -> dict[str, Words]:
    """The words of each key, `group.member`."""
    written: dict[str, list[str] | str] = {
        member if group == _ALONE else f"{group}.{member}": words
        for group, members in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()
        for member, words in members.items()
    }
    known = _of_labels() | _of_seeds() | _of_classifiers()
    for key, words in written.items():
        if not isinstance(words, str):
            known[key] = (words[0], words[1])
    return known | {key: known[same] for key, same in written.items() if isinstance(same, str)}


@cache
def group(name: str) -> dict[str, Words]:
    """The words of a group, by member."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): words for key, words in texts().items() if key.startswith(prefix)}


def _of_labels() -> dict[str, Words]:
    """By `intent.LEGAL`: a report calls the stages journeys, other fields by their short names."""
    return {
        f"{'journey' if field.name == 'journey_stage' else field.short}.{label.name}": (label.es, label.en)
        for field in taxonomy.fields()
        for label in field.labels
    }


def _of_classifiers() -> dict[str, Words]:
    """The badge and, by `source.rules`, who may stand in it."""
    names = seeds.classifiers()
    spanish, english = names["badge"]
    badge = {"badge": (f"{spanish} {{sources}}", f"{english} {{sources}}")}
    return badge | {f"source.{name}": words for name, words in names.items() if name != "badge"}


def _of_seeds() -> dict[str, Words]:
    named = [
        *(("channel", row["channel"], row) for row in seeds.rows("channels")),
        *(("kpi_metrics", row["metric"], row) for row in seeds.rows("kpi_metrics")),
    ]
    words = {f"{name}.{member}": (row["label_es"], row["label_en"]) for name, member, row in named}
    for row in seeds.rows("labels"):
        if row["label_set"] in _SORTED_SETS:
            words[f"{row['label_set']}.{row['member']}"] = (_unsorted(row["label_es"]), _unsorted(row["label_en"]))
        if row["label_set"] == "status":
            words[f"status.{row['member']}"] = (row["label_es"], row["label_en"])
        if row["label_set"] == "day_of_week":
            words[f"weekday_short.{row['member']}"] = (_unsorted(row["label_es"]).lower(), _unsorted(row["label_en"]))
    return words


def _unsorted(label: str) -> str:
    """A label without the digit that makes it sort: 1-Lun."""
    return label.partition("-")[2]
