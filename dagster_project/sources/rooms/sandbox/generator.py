"""All that happens at a made-up firm between two instants, in the order of time."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.people import People
from dagster_project.sources.rooms.sandbox.staff_rooms import StaffRooms
from dagster_project.sources.rooms.sandbox.support_rooms import LONGEST_LIFE_DAYS, SupportRooms
from dagster_project.sources.rooms.steps import Event

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class RoomsSandbox:
    """The rooms of a made-up `firm`."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.people = People(firm)
        self._support = SupportRooms(firm, self.people)
        self._staff = StaffRooms(firm, self.people)

    def events(self, until: datetime, after: datetime = _BEGINNING) -> list[Event]:
        """What happens after `after`, up to `until`, by time. It costs the days between them and 45 before."""
        first = max(0, self.firm.day_of(after) - 1)
        last = min(self.firm.day_of(until), self.firm.days - 1)
        made = [*self.people.founding(), *self._staff.founding()]
        for day in range(first, last + 1):
            made += self.people.presence(day)
            made += self._staff.day(day)
        for number in self._numbers(until, after):
            made += self._support.life(number)
        return _in_order(event for event in made if after < event.at <= until)

    def _numbers(self, until: datetime, after: datetime) -> range:
        arrivals = self._support.arrivals
        oldest = after - timedelta(days=LONGEST_LIFE_DAYS) if after > _BEGINNING else after
        return range(arrivals.until(int(oldest.timestamp())), arrivals.until(int(until.timestamp())))


def _in_order(events: Iterable[Event]) -> list[Event]:
    """By time. What happens in one instant stays in the order in which it was written down."""
    return sorted(events, key=lambda event: event.at)
