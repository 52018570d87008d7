"""Who was at work on which chats when, and which contacts came back, in plain Python from the API's own JSON.

Written from `specs/metrics.md` and the descriptions of the marts, not from the models. A chat is told by the versions
that syncs saw, the newest last. Times are naive local ones (the account's zone has no clock change in the data); what
has not ended has `NEVER` for its end.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from tests.support.oracle import People, local

Chat = dict[str, Any]
NEVER = datetime(2100, 1, 1)  # noqa: DTZ001  local by nature
HOUR = timedelta(hours=1)
REACH = timedelta(minutes=15)


class Span(NamedTuple):
    """An agent had a chat of a department, or was at work on it, from a time to another."""

    agent: str
    department: str
    start: datetime
    end: datetime


def holds(versions: list[Chat], first_seen: datetime) -> list[Span]:
    """Who had a chat that one or two syncs saw, the second long after everything that it tells of."""
    first, last = versions[0], versions[-1]
    people = People(*versions)
    start, end = people.begin, min((closed for closed, again in people.shut if again is None), default=NEVER)
    if start is None:
        return []
    then, now = agent(first), agent(last)
    if then is None or now is None or then == now:
        spans = [(then or now, start, end)]
    else:
        picked_up, taken_over = local(last["picked_up_at"]), NEVER
        has_moved = last["picked_up_at"] != first["picked_up_at"]
        if picked_up and (has_moved or last["status"] == "PICKED_UP" != first["status"]):
            taken_over = max(picked_up, first_seen)
        spans = [(then, start, min(taken_over, end)), (now, max(start, taken_over), end)]
    for pause in ((closed, again) for closed, again in people.shut if again):
        spans = [
            (who, piece_start, piece_end)
            for who, span_start, span_end in spans
            for piece_start, piece_end in ((span_start, min(span_end, pause[0])), (max(span_start, pause[1]), span_end))
        ]
    return [Span(who, last["department"] or "none", *span) for who, *span in spans if who and span[0] < span[1]]


def activity(versions: list[Chat], first_seen: datetime) -> list[Span]:
    """When an agent was at work on a chat: in reach of a message, pick-up or closing of theirs, while they had it."""
    people = People(*versions)
    sent = [
        local(message["created_at"])
        for message in versions[-1]["messages"]
        if not message["incoming"] and not message["broadcasted"]
    ]
    picked_up = [local(version["picked_up_at"]) for version in versions]
    closed = [at for version in versions if (at := local(version["closed_at"]))]
    did = [at for at in (*sent, *picked_up) if at and (people.answer(at) or at in picked_up)]
    found: list[Span] = []
    for hold in holds(versions, first_seen):
        theirs = [at for at in did if hold.start <= at < hold.end]
        theirs += [at for at in closed if hold.start < at <= hold.end]
        spans: list[Span] = []
        for at in sorted(theirs):
            span = hold._replace(start=max(at - REACH, hold.start), end=min(at + REACH, hold.end))
            if spans and span.start <= spans[-1].end:
                spans[-1] = spans[-1]._replace(end=span.end)
            else:
                spans.append(span)
        found += [span for span in spans if span.start < span.end]
    return found


def agent(chat: Chat) -> str | None:
    return chat["agent"]["username"] if chat.get("agent") else None


class Load(NamedTuple):
    """Work in a span of time: seconds at work, seconds of chats, chats at once."""

    active: int
    of_chats: int
    peak: int


def load(found: Iterable[Span], start: datetime, end: datetime) -> Load:
    """The load that spans put on a span of time, found between each two instants at which one begins or ends."""
    inside = [one for one in found if one.start < end and one.end > start]
    instants = sorted({start, end} | {instant for one in inside for instant in one[2:] if start < instant < end})
    active = of_chats = peak = 0
    for left, right in pairwise(instants):
        count = sum(one.start <= left < one.end for one in inside)
        seconds = int((right - left).total_seconds())
        active, of_chats = active + seconds * (count > 0), of_chats + seconds * count
        peak = max(peak, count)
    return Load(active, of_chats, peak)


def day(of: date) -> tuple[datetime, datetime]:
    start = datetime.combine(of, time())
    return start, start + timedelta(days=1)


def occupied(found: Iterable[Span], first_day: date, last_day: date) -> dict[tuple[int, int], tuple[int, int]]:
    """Seconds at work and seconds of chats by day of week (0 = Sunday) and hour, over some days."""
    cells: Counter[tuple[int, int]] = Counter()
    sums: Counter[tuple[int, int]] = Counter()
    spans = list(found)
    for offset in range((last_day - first_day).days + 1):
        start, end = day(first_day + timedelta(days=offset))
        todays = [one for one in spans if one.start < end and one.end > start]
        for hour in range(24):
            found_load = load(todays, start + hour * HOUR, start + (hour + 1) * HOUR)
            cells[start.isoweekday() % 7, hour] += found_load.active
            sums[start.isoweekday() % 7, hour] += found_load.of_chats
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
            chat
            for chat in closed
            if not any(
                other is not chat
                and local(chat["closed_at"])
                <= local(other["created_at"])  # type: ignore[operator]
                <= local(chat["closed_at"]) + week
                for other in own
            )  # type: ignore[operator]
        ]
        found[contact] = (len(own), len(closed), len(resolved))
    return found
