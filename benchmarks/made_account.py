"""The history of the sandbox's account as a daily sync would have landed it, made without a server."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from common import ZONE, start_of

from dagster_project.sources.b2chat.answers import Item
from dagster_project.sources.b2chat.records import read_record
from dagster_project.sources.b2chat.sandbox.account import Account
from dagster_project.sources.b2chat.sandbox.chat_lifecycle import NEVER, ChatLifecycle, ChatLifecycles
from dagster_project.sources.b2chat.sandbox.directory import Contacts
from dagster_project.sources.b2chat.sandbox.generator import GeneratedSource
from dagster_project.sources.b2chat.sandbox.source import ContactQuery, Days, Page
from dagster_project.sources.b2chat.sandbox.source import Record as Json
from dagster_project.sources.contract import Record

TRANSFERRED_SHARE = 0.04
CHANGES_FOR = timedelta(days=40)  # after its creation no chat and no contact changes any more


@dataclass(slots=True)
class Landed:
    """One record as it lands on one day.

    Attributes:
        before: the version that an earlier day had brought; None where this is the first.
        day_before: that day.
    """

    record: Record
    before: Record | None = None
    day_before: date | None = None


class MadeAccount:
    """Chats by their number and contacts by their day, ready to land."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.arrivals = account.arrivals()
        self._lives = ChatLifecycles(account, self.arrivals, Contacts(account, self.arrivals), _local_hour)
        self._source = GeneratedSource(account)

    def days(self, until: date) -> Iterator[tuple[date, list[Landed]]]:
        """Each day before `until` with the chats that had their last change on it; the last day has all that is left.

        One chat in some was with another agent at the end of the day on which it began: it comes with that version.
        """
        now = _instant(until)
        waiting = defaultdict[date, list[Landed]](list)
        for offset in range((until - self.account.first_day).days):
            day = self.account.first_day + timedelta(days=offset)
            is_last = day + timedelta(days=1) == until
            for number in range(self.arrivals.before_day(day), self.arrivals.before_day(day + timedelta(days=1))):
                life = self._life(number)
                ends = min(_local(_last_change(life)).date(), until - timedelta(days=1))
                before = self._before_transfer(number, life, day) if ends > day else None
                waiting[ends].append(Landed(_chat(life, now), before, day if before else None))
            yield day, waiting.pop(day, [])
            assert not (is_last and waiting), "a chat changes after its last day"

    def chats(self, numbers: range, at: datetime) -> Iterator[Record]:
        """The chats of these numbers as they are at an instant."""
        for number in numbers:
            yield _chat(self._life(number), int(at.timestamp()))

    def contacts(self, first: date, last: date, at: datetime) -> Iterator[Record]:
        """The contacts that were created on these days, as they are at an instant."""
        query = ContactQuery(
            limit=2**31, descending=False, created=Days(first, last), with_tags=True, with_custom_attributes=True
        )
        page: Page = self._source.contacts(query, at)
        for json in page.records:
            yield _sound("contacts", json)

    def created_at(self, number: int) -> datetime:
        """When a chat is created."""
        return _local(self.arrivals.draw(number)[1])

    def _life(self, number: int) -> ChatLifecycle:
        return self._lives.life(self._lives.start(number))

    def _before_transfer(self, number: int, life: ChatLifecycle, day: date) -> Record | None:
        rng = random.Random(f"{self.account.seed}:{number}:transfer")
        seen = _instant(day + timedelta(days=1))
        if rng.random() > TRANSFERRED_SHARE or life.picked_up > seen:
            return None
        other = self._life(rng.randrange(number + 1))
        before = _chat(replace(life, agent=other.agent, department=other.department), seen)
        return before if before.content_hash != _chat(life, seen).content_hash else None


def _chat(life: ChatLifecycle, instant: int) -> Record:
    return _sound("chats", life.record(instant, lambda second: _local(second).isoformat(" ")[:19]))


def _sound(entity: str, json: Json) -> Record:
    """The record as ingestion reads it: whatever it would refuse must not be made."""
    record = read_record("chats" if entity == "chats" else "contacts", Item(0, "", json))
    assert isinstance(record, Record), record
    return record


def _last_change(life: ChatLifecycle) -> int:
    last_message = life.messages[-1].at if life.messages else life.created
    ends = (life.created, last_message, life.opened, life.picked_up, life.responded, life.closed, life.poll_ends)
    return max(instant for instant in (*ends, life.broadcast_vanishes) if instant < NEVER)


def _instant(day: date) -> int:
    return int(start_of(day).timestamp())


def _local(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, ZONE)


def _local_hour(instant: int) -> int:
    return _local(instant).hour
