"""dbt's seeds that Python reads too: one list of channels and one of labels, whoever needs them."""

import csv
from functools import cache

from dagster_project.settings import PROJECT_ROOT

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
