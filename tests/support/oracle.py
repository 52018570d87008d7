"""Heatmaps, turns, response times and the backlog worked out in plain Python from the API's own JSON: what the
warehouse must agree with.

Written from `specs/metrics.md`, not from the models: naive local times are taken as they stand (the account's zone
has no clock change in the data), percentiles are linear between the two nearest ranks.
"""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Chat = dict[str, Any]
CellKey = tuple[date, int, int]
MOMENTS = ("created", "opened", "picked_up", "responded", "closed")


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


@dataclass(frozen=True)
class Turn:
    """A customer's turn in a chat: who had it, when it was asked, and when and how it was answered."""

    chat: Chat
    asked: datetime
    asked_last: datetime
    replied: datetime | None
    customer_messages: int
    agent_messages: int


class People:
    """When people had to do with a chat, from all versions of it that syncs saw, the newest last."""

    OPEN = ("BOT_CHATTING", "OPENED", "PICKED_UP", "RESPONDED_BY_AGENT")

    def __init__(self, *versions: Chat) -> None:
        self._versions, self._newest = versions, versions[-1]
        picked_up, responded = (min(self._all(name), default=None) for name in ("picked_up_at", "responded_at"))
        self.begin = picked_up or responded
        self.opened = min(self._all("opened_at"), default=None)
        if self.opened and self.begin and self.opened > self.begin:
            self.opened = None  # the first opening was not seen
        self.shut = [(closed, self._opened_after(closed)) for closed in set(self._all("closed_at"))]
        last, is_open = local(self._newest["closed_at"]), self._newest["status"] in self.OPEN
        self.shut = [(closed, again) for closed, again in self.shut if again or (closed == last and not is_open)]

    def first(self, name: str) -> datetime | None:
        """The first known time of this name since the newest opening, or the newest one."""
        opened = local(self._newest["opened_at"])
        return min((at for at in self._all(name) if opened and at >= opened), default=local(self._newest[name]))

    def waits_from(self, at: datetime) -> datetime | None:
        """From when on a customer who writes at a time waits for a person; None where nobody is to answer any more."""
        for closed, again in self.shut:
            if at > closed and (again is None or at < again):
                return again if not self.opened or at >= self.opened else self.opened
        return max(at, self.opened) if self.opened else at

    def answer(self, at: datetime) -> bool:
        """Whether what is sent at a time is a person's."""
        return (
            self.begin is not None
            and at >= self.begin
            and not any(at > closed and (again is None or at < again) for closed, again in self.shut)
        )

    def _all(self, name: str) -> list[datetime]:
        return [at for version in self._versions if (at := local(version[name]))]

    def _opened_after(self, closed: datetime) -> datetime | None:
        answered = [local(one["responded_at"]) for one in self._versions if one["status"] in self.OPEN]
        known = [*self._all("opened_at"), *self._all("picked_up_at"), *(at for at in answered if at)]
        return min((at for at in known if at > closed), default=None)


def turns(*versions: Chat) -> list[Turn]:
    """A chat's turns, read message by message as a person would read them; its versions, the newest last."""
    found: list[Turn] = []
    chat, people = versions[-1], People(*versions)
    for message in sorted(chat["messages"], key=lambda message: message["created_at"]):
        at = local(message["created_at"])
        assert at is not None
        last = found[-1] if found else None
        if message["incoming"]:
            waits = people.waits_from(at)
            if last and (not waits or not last.replied):
                asked_last = waits or last.asked_last
                found[-1] = replace(last, asked_last=asked_last, customer_messages=last.customer_messages + 1)
            elif waits:
                found.append(Turn(chat, waits, waits, None, 1, 0))
        elif last and not message["broadcasted"] and people.answer(at):
            found[-1] = replace(last, replied=last.replied or at, agent_messages=last.agent_messages + 1)
    return found


def timings(chats: Iterable[Chat]) -> Iterator[tuple[Chat, date, str, int]]:
    """Each time of a chat or of a reply, in seconds, with its chat, the day that it counts on and its metric."""
    for chat in chats:
        moments = {name: local(chat[f"{name}_at"]) for name in MOMENTS}
        for metric, start, end in (
            ("pickup", "opened", "picked_up"),
            ("first_response", "opened", "responded"),
            ("response", "created", "responded"),
            ("resolution", "opened", "closed"),
            ("handling", "picked_up", "closed"),
        ):
            begun, ended, created = moments[start], moments[end], moments["created"]
            if created and begun and ended and ended >= begun:
                yield chat, created.date(), metric, int((ended - begun).total_seconds())
        for turn in turns(chat):
            if turn.replied:
                for metric, begun in (("reply", turn.asked), ("reply_from_last", turn.asked_last)):
                    yield chat, turn.replied.date(), metric, int((turn.replied - begun).total_seconds())


def figures(values: list[int]) -> dict[str, float]:
    """What a rollup says of some times: count, sum, mean, percentiles, extremes and buckets."""
    buckets = Counter(bisect_right([60, 180, 300, 600], value) for value in values)
    return {
        "count": len(values),
        "sum_seconds": sum(values),
        "mean_seconds": sum(values) / len(values),
        "min_seconds": min(values),
        "max_seconds": max(values),
        "under_1m_count": buckets[0],
        "from_1m_to_3m_count": buckets[1],
        "from_3m_to_5m_count": buckets[2],
        "from_5m_to_10m_count": buckets[3],
        "over_10m_count": buckets[4],
    } | {f"p{share}_seconds": percentile(values, share / 100) for share in (50, 90, 95, 99)}


def traffic(chats: Iterable[Chat]) -> dict[tuple[date, int], list[int]]:
    """By local date and hour: chats created, incoming ones, messages written, those by customers."""
    found: dict[tuple[date, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for chat in chats:
        created = local(chat["created_at"])
        if created:
            cell = found[created.date(), created.hour]
            cell[0] += 1
            cell[1] += direction(chat)[0] == "incoming"
        for message in chat["messages"]:
            written = local(message["created_at"])
            if written:
                cell = found[written.date(), written.hour]
                cell[2] += 1
                cell[3] += message["incoming"]
    return dict(found)


BacklogInterval = tuple[str, datetime, datetime | None]
STALE_AFTER = timedelta(hours=24 * 30)


def in_work(versions: list[Chat], zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """The times (UTC) in which something happened in a chat no longer than thirty days before, in order."""
    own = [version[f"{name}_at"] for version in versions for name in MOMENTS]
    written = [message["created_at"] for message in versions[-1]["messages"]]
    found: list[tuple[datetime, datetime]] = []
    for at in sorted(_instant(moment, zone) for text in (*own, *written) if (moment := local(text))):
        if found and at <= found[-1][1]:
            found[-1] = (found[-1][0], at + STALE_AFTER)
        else:
            found.append((at, at + STALE_AFTER))
    return found


def backlog_intervals(versions: list[Chat], zone: ZoneInfo) -> list[BacklogInterval]:
    """Each time that a chat was in a state of the backlog: the state, when it came (UTC), when it left (or None)."""
    people = People(*versions)
    life = lifetime(versions, zone)
    if not life:
        return []
    begin, end = life

    def until(*moments: datetime | None) -> datetime | None:
        return min((_instant(moment, zone) for moment in moments if moment), default=None)

    taken = until(*(people.first(name) for name in ("picked_up_at", "responded_at")))
    intervals: list[BacklogInterval] = [("open", begin, end), ("waiting_for_pickup", begin, _earlier(taken, end))]
    for turn in turns(*versions):
        asked = max(_instant(turn.asked, zone), begin)
        intervals.append(("waiting_for_answer", asked, _earlier(until(turn.replied), end)))
    known = [(state, start, left) for state, start, left in intervals if left is None or left > start]
    working = in_work(versions, zone)
    cut = [
        (state, max(start, busy), _earlier(left, silent))
        for state, start, left in known
        for busy, silent in working
        if start < silent and (left is None or left > busy)
    ]
    silences = [
        (silent, again) for (_, silent), again in zip(working, [*(busy for busy, _ in working[1:]), None], strict=True)
    ]
    stale = [
        ("stale", max(begin, silent), _earlier(end, again))
        for silent, again in silences
        if known and (end is None or end > silent) and (again is None or again > begin)
    ]
    return cut + stale


def lifetime(versions: list[Chat], zone: ZoneInfo) -> tuple[datetime, datetime | None] | None:
    """From when to when (UTC; None for no end) a chat is open; None if it never is, or nobody knows how long."""
    chat = versions[-1]
    created, opened, closed = (local(chat[name]) for name in ("created_at", "opened_at", "closed_at"))
    still_open = chat["status"] in People.OPEN
    if not created or not opened or (not still_open and not closed):
        return None
    begin = _instant(max(created, opened), zone)
    end = None if still_open or not closed else _instant(closed, zone)
    return (begin, end) if end is None or end > begin else None


def backlog(
    chats: Iterable[list[Chat]], zone: ZoneInfo, moments: list[datetime]
) -> dict[tuple[datetime, str], list[float]]:
    """By the moment at which an hour or day begins and state, the hours that each chat had been in it.

    Moments in order, each chat by its versions. What happens on the very moment is not yet seen."""
    found: dict[tuple[datetime, str], list[float]] = defaultdict(list)
    for versions in chats:
        for state, start, left in backlog_intervals(versions, zone):
            for moment in moments[bisect_right(moments, start) : bisect_right(moments, left) if left else None]:
                found[moment, state].append((moment - start).total_seconds() / 3600)
    return dict(found)


def opened_and_closed(chats: Iterable[list[Chat]], zone: ZoneInfo) -> Counter[tuple[datetime, str]]:
    """By the hour (UTC) in which it lies, how many chats were opened, and how many closed."""
    lives = [life for versions in chats if (life := lifetime(versions, zone))]
    found = Counter((begin.replace(minute=0, second=0), "opened") for begin, _ in lives)
    found.update((end.replace(minute=0, second=0), "closed") for _, end in lives if end)
    return found


def _instant(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _earlier(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)
