"""What dbt and Python both read: seeds, and a variable of the project. One list of each thing, whoever needs it."""

import csv
from functools import cache

import yaml

from dagster_project.settings import PROJECT_ROOT

PROJECT = PROJECT_ROOT / "dbt" / "dbt_project.yml"
SEEDS = PROJECT_ROOT / "dbt" / "seeds"
UNKNOWN_CHANNEL = "unknown"  # of a chat that names none


@cache
def rows(seed: str) -> tuple[dict[str, str], ...]:
    """The rows of a seed, in the file's order; needs no warehouse."""
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8-sig", newline="") as file:
        return tuple(csv.DictReader(file))


def channels() -> list[str]:
    """The channels that have a name. Chats may come by others, which work as well and are called by their code."""
    return [row["channel"] for row in rows("channels") if row["channel"] != UNKNOWN_CHANNEL]


@cache
def classifiers() -> dict[str, tuple[str, str]]:
    """Who gives labels (rules, model, fake), and the `badge` before the name: in Spanish and in English."""
    words = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))["vars"]["classified_by"]
    return {name: (spanish, english) for name, (spanish, english) in words.items()}
