"""A source that makes an account up: deterministic, lazy, and alive as the clock moves."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from dagster_project.sources.b2chat.sandbox.account import Account
from dagster_project.sources.b2chat.sandbox.chat_lifecycle import ChatLifecycles, Start
from dagster_project.sources.b2chat.sandbox.directory import MAX_CHANGE_DAYS, Contacts, Profile
from dagster_project.sources.b2chat.sandbox.source import ChatQuery, ContactQuery, Days, Page, Record, provider_slug

__all__ = ["Account", "GeneratedSource"]


class GeneratedSource:
    """The chats and contacts of a made-up `account`.

    Each record is made from its number when a page asks for it; a page over days costs only its own records.
    A filter on provider, contact or a contact's `updated` has to look at each record of the days that it spans.
    """

    kind: Literal["generated"] = "generated"

    def __init__(self, account: Account) -> None:
        self._zone = ZoneInfo(account.zone)
        self._arrivals = account.arrivals()
        self._contacts = Contacts(account, self._arrivals)
        self._lifecycles = ChatLifecycles(account, self._arrivals, self._contacts, self._local_hour)

    def chats(self, query: ChatQuery, now: datetime) -> Page:
        """The page of chats that `query` selects, as they are at the instant `now`."""
        instant = int(now.timestamp())
        filtered = query.provider or query.contact_lookup
        numbers, total = _select(
            self._chat_numbers(query.created, instant),
            query,
            (lambda number: _matches(self._lifecycles.start(number), query)) if filtered else None,
        )
        starts = map(self._lifecycles.start, numbers)
        return Page([self._lifecycles.life(start).record(instant, self._local) for start in starts], total)

    def contacts(self, query: ContactQuery, now: datetime) -> Page:
        """The page of contacts that `query` selects, as they are at the instant `now`."""
        instant = int(now.timestamp())
        numbers, total = _select(
            self._contact_numbers(query, instant),
            query,
            (lambda number: self._updated_within(number, query.updated, instant)) if query.updated else None,
        )
        return Page([self._contact_record(self._contacts.profile(n, instant), query) for n in numbers], total)

    def _chat_numbers(self, created: Days, instant: int) -> range:
        seen = self._arrivals.until(instant)
        first = self._arrivals.before_day(created.first) if created.first else 0
        end = self._arrivals.before_day(created.last + timedelta(days=1)) if created.last else seen
        return range(first, max(first, min(end, seen)))

    def _contact_numbers(self, query: ContactQuery, instant: int) -> range:
        """The contacts created on the days asked for; one updated on a day was created at most a month before."""
        first, last = query.created.first, query.created.last
        if query.updated.first:
            reach = query.updated.first - timedelta(days=MAX_CHANGE_DAYS + 1)
            first = max(first or reach, reach)
        if query.updated.last:
            last = min(last or query.updated.last, query.updated.last)
        chats = self._chat_numbers(Days(first, last), instant)
        return range(self._contacts.known_before(chats.start), self._contacts.known_before(chats.stop))

    def _updated_within(self, number: int, days: Days, instant: int) -> bool:
        return days.hold(self._local(self._contacts.profile(number, instant).updated))

    def _contact_record(self, profile: Profile, query: ContactQuery) -> Record:
        contact = profile.contact
        return {
            "contact_id": contact.contact_id,
            "fullname": contact.name,
            "identification": contact.identification,
            "email": contact.email,
            "landline": contact.landline,
            "mobile": contact.mobile,
            "address": profile.address,
            "country": "CO",
            "city": profile.city,
            "company": profile.company,
            "merchant_id": None,
            "created": self._local(profile.created),
            "updated": self._local(profile.updated),
            "custom_attributes": profile.custom_attributes if query.with_custom_attributes else None,
            "tags": profile.tags if query.with_tags else None,
            "row_index": None,
        }

    def _local(self, instant: int) -> str:
        return datetime.fromtimestamp(instant, self._zone).isoformat(" ")[:19]

    def _local_hour(self, instant: int) -> int:
        return datetime.fromtimestamp(instant, self._zone).hour


def _matches(start: Start, query: ChatQuery) -> bool:
    return query.provider in (None, provider_slug(start.provider)) and (
        not query.contact_lookup or start.contact.mentions(query.contact_lookup.lower())
    )


def _select(
    numbers: range, query: ChatQuery | ContactQuery, keep: Callable[[int], bool] | None
) -> tuple[Sequence[int], int]:
    """The page's numbers among those that `keep` accepts (None: all), and how many there are in all."""
    ordered = numbers[::-1] if query.descending else numbers
    if keep is None:
        return ordered[query.offset : query.offset + query.limit], len(ordered)
    page, total = [], 0
    for number in filter(keep, ordered):
        if query.offset <= total < query.offset + query.limit:
            page.append(number)
        total += 1
    return page, total
