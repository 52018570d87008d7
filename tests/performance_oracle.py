"""Who held which chats when, and which contacts came back, in plain Python from the API's own JSON.

Written from `specs/metrics.md` and the descriptions of the marts, not from the models. A chat is told by the versions
that syncs saw, the newest last. Times are naive local ones (the account's zone has no clock change in the data); what
has not ended has `NEVER` for its end.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from tests.oracle import local

Chat = dict[str, Any]
NEVER = datetime(2100, 1, 1)  # noqa: DTZ001  local by nature
HOUR = timedelta(hours=1)
OPEN_EVENT = {"OPENED": "opened_at", "PICKED_UP": "picked_up_at", "RESPONDED_BY_AGENT": "responded_at"}


class Hold(NamedTuple):
    """An agent had a chat of a department, from a time to another."""

    agent: str
    department: str
    start: datetime
    end: datetime


def holds(versions: list[Chat], first_seen: datetime) -> list[Hold]:
    """The holds of a chat that one or two syncs saw, the second long after everything that it tells of."""
    first, last = versions[0], versions[-1]
    begins = [min((at for one in versions if (at := local(one[name]))), default=None)
              for name in ("picked_up_at", "responded_at")]  # fmt: skip
    start, closed = begins[0] or begins[1], local(last["closed_at"]) or NEVER
    if start is None:
        return []
    then, now = agent(first), agent(last)
    if then is None or now is None or then == now:
        spans = [(then or now, start, closed)]
    else:
        picked_up, taken_over = local(last["picked_up_at"]), NEVER
        has_moved = last["picked_up_at"] != first["picked_up_at"]
        if picked_up and (has_moved or last["status"] == "PICKED_UP" != first["status"]):
            taken_over = max(picked_up, first_seen)
        spans = [(then, start, min(taken_over, closed)), (now, max(start, taken_over), closed)]
    closed_before, event = local(first["closed_at"]), local(last.get(OPEN_EVENT.get(last["status"], ""), None))
    pause = (NEVER, NEVER)
    if closed_before and last["status"] in OPEN_EVENT and first["status"] not in OPEN_EVENT:
        pause = (closed_before, event if event and event > closed_before else NEVER)
    pieces = [
        (who, piece_start, piece_end)
        for who, span_start, span_end in spans
        for piece_start, piece_end in ((span_start, min(span_end, pause[0])), (max(span_start, pause[1]), span_end))
        if who and piece_start < piece_end
    ]
    return [Hold(who, last["department"] or "none", *span) for who, *span in pieces]


def agent(chat: Chat) -> str | None:
    return chat["agent"]["username"] if chat.get("agent") else None


class Load(NamedTuple):
    """What a span of time held: seconds with a chat, seconds of chats, chats at once."""

    active: int
    held: int
    peak: int


def load(found: Iterable[Hold], start: datetime, end: datetime) -> Load:
    """The load that holds put on a span of time, found between each two instants at which one begins or ends."""
    inside = [one for one in found if one.start < end and one.end > start]
    instants = sorted({start, end} | {instant for one in inside for instant in one[2:] if start < instant < end})
    active = held = peak = 0
    for left, right in pairwise(instants):
        count = sum(one.start <= left < one.end for one in inside)
        seconds = int((right - left).total_seconds())
        active, held, peak = active + seconds * (count > 0), held + seconds * count, max(peak, count)
    return Load(active, held, peak)


def day(of: date) -> tuple[datetime, datetime]:
    start = datetime.combine(of, time())
    return start, start + timedelta(days=1)


def occupied(found: Iterable[Hold], first_day: date, last_day: date) -> dict[tuple[int, int], tuple[int, int]]:
    """Seconds with a chat and seconds of chats by day of week (0 = Sunday) and hour, over some days."""
    cells: Counter[tuple[int, int]] = Counter()
    sums: Counter[tuple[int, int]] = Counter()
    held = list(found)
    for offset in range((last_day - first_day).days + 1):
        start, end = day(first_day + timedelta(days=offset))
        todays = [one for one in held if one.start < end and one.end > start]
        for hour in range(24):
            found_load = load(todays, start + hour * HOUR, start + (hour + 1) * HOUR)
            cells[start.isoweekday() % 7, hour] += found_load.active
            sums[start.isoweekday() % 7, hour] += found_load.held
    return {cell: (seconds, sums[cell]) for cell, seconds in cells.items() if seconds}


def contact_activity(chats: Iterable[Chat], week: timedelta = timedelta(days=7)) -> dict[str, tuple[int, int, int]]:
    """By contact: chats, closed chats (all closed long ago), and closed chats that no other followed in a week."""
    by_contact: dict[str, list[Chat]] = defaultdict(list)
    for chat in chats:
        if chat.get("contact"):
            by_contact[str(chat["contact"]["id"])].append(chat)
    found = {}
    for contact, own in by_contact.items():
        closed = [chat for chat in own if chat["closed_at"]]
        resolved = [
            chat for chat in closed
            if not any(other is not chat and local(chat["closed_at"]) <= local(other["created_at"])  # type: ignore[operator]
                       <= local(chat["closed_at"]) + week for other in own)  # type: ignore[operator]
        ]  # fmt: skip
        found[contact] = (len(own), len(closed), len(resolved))
    return found
