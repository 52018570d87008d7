"""The weekly heatmap worked out in plain Python from the API's own JSON: what the warehouse must agree with.

Written from `specs/metrics.md`, not from the models: naive local times are taken as they stand (the account's zone
has no clock change in the data), percentiles are linear between the two nearest ranks.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

Chat = dict[str, Any]
CellKey = tuple[date, int, int]


def local(text: str | None) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S") if text else None  # noqa: DTZ007  local by nature


def direction(chat: Chat) -> tuple[str, bool]:
    """A chat's direction, and whether it was converted."""
    messages = sorted(enumerate(chat["messages"]), key=lambda pair: (pair[1]["created_at"], pair[0]))
    if not messages:
        return "outgoing", False
    first = messages[0][1]
    if first["incoming"]:
        return "incoming", False
    if not first["broadcasted"]:
        return "outgoing", False
    answered = any(message["incoming"] for _, message in messages[1:])
    return ("incoming", True) if answered else ("outgoing_broadcast", False)


def matches(chat: Chat, wanted: str) -> bool:
    """Whether a chat passes a direction filter."""
    way, converted = direction(chat)
    return {
        "all": True,
        "outgoing_all": way in ("outgoing", "outgoing_broadcast"),
        "converted": converted,
    }.get(wanted, way == wanted)


def week_start(moment: datetime) -> date:
    return moment.date() - timedelta(days=moment.weekday())


def cells(chats: Iterable[Chat]) -> dict[CellKey, list[int]]:
    """First responses in seconds by (week's Monday, day of week with 0 for Sunday, hour)."""
    found: dict[CellKey, list[int]] = defaultdict(list)
    for chat in chats:
        created, opened, responded = (local(chat[name]) for name in ("created_at", "opened_at", "responded_at"))
        if created and opened and responded and responded >= opened:
            key = (week_start(created), created.isoweekday() % 7, created.hour)
            found[key].append(int((responded - opened).total_seconds()))
    return dict(found)


def percentile(values: list[int], share: float) -> float:
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def bands(means: dict[Any, float]) -> dict[Any, str]:
    """The colour band of each non-empty cell of one shown week."""
    values = list(means.values())
    p33, p66 = percentile(values, 0.33), percentile(values, 0.66)  # type: ignore[arg-type]
    return {key: "fast" if mean <= p33 else "average" if mean <= p66 else "slow" for key, mean in means.items()}
