"""The firm's people: staff by level with their shifts and presence, robots, and customers who come back."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dagster_project.sources.invented_people import FIRST_NAMES, LAST_NAMES, STAFF_NAMES, login_of
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.steps import Event

ORGANIZATIONS = ("Inmobiliaria Ejemplo", "Constructora Modelo")
ROBOTS = ("asistente-ventas", "asistente-cartera")
_ROBOTS_OF = ((0, 1), (0,))  # by organization
# By organization: how many of each level, and of those who watch. Their names are the next of STAFF_NAMES.
_POSTS = (
    (("T1", 5), ("T2", 3), ("T3", 2), ("manager", 1), ("supervisor", 1)),
    (("T1", 2), ("T2", 1), ("T3", 1), ("manager", 1), ("supervisor", 1)),
)
_SHIFTS = ((7, 16), (9, 18), (12, 21))
_LEAVES_FIRM = (4, 30)  # the fifth of the staff is with the firm for thirty days
_FIRST_ORGANIZATION_SHARE = 0.8
DELETED_AFTER_DAYS = 20


@dataclass(frozen=True, slots=True)
class Person:
    """A user. `post` is a level, supervisor, robot, guest or registered; `organization` an index."""

    id: str
    organization: int
    name: str
    post: str
    shift: tuple[int, int] = (0, 24)
    until: datetime | None = None
    robot_id: str | None = None

    @property
    def first_name(self) -> str:
        """The name by which others call this person."""
        return self.name.split()[0]


class People:
    """Everybody, from the firm's parameters alone."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm
        self._zone = ZoneInfo(firm.zone)
        self.organizations = [self._id("organization", name) for name in ORGANIZATIONS]
        self.staff = list(self._staff())
        self.robots = {
            (organization, robot): Person(
                self._id("robot", f"{organization}:{robot}"),
                organization,
                ROBOTS[robot],
                "robot",
                robot_id=ROBOTS[robot],
            )
            for organization, robots in enumerate(_ROBOTS_OF)
            for robot in robots
        }

    def pick(self, organization: int, post: str, at: datetime, rng: random.Random) -> Person:
        """One of a post whose shift holds the instant; any of them where no shift does."""
        hour = at.astimezone(self._zone).hour
        there = [
            one
            for one in self.staff
            if one.organization == organization and one.post == post and (one.until is None or at < one.until)
        ]
        on_duty = [one for one in there if one.shift[0] <= hour < one.shift[1]] or there
        return on_duty[int(rng.random() * len(on_duty))]

    def robot(self, organization: int, rng: random.Random) -> Person:
        """The robot that a room of an organization begins with."""
        robots = _ROBOTS_OF[organization]
        return self.robots[organization, robots[int(rng.random() * len(robots))]]

    @staticmethod
    def is_first_room(number: int) -> bool:
        """Whether support room `number` brings a new customer: two in five do."""
        return People._known_before(number + 1) > People._known_before(number)

    def customer_of_room(self, number: int, rng: random.Random) -> Person:
        """Who opens support room `number`: a new customer, or one who came before, a recent one more likely."""
        known = self._known_before(number)
        return self.customer(known if self.is_first_room(number) else known - 1 - int(known * rng.random() ** 3))

    def customer(self, number: int) -> Person:
        """Customer `number`."""
        rng = self._rng("customer", str(number))
        names = (FIRST_NAMES, LAST_NAMES, LAST_NAMES)
        name = " ".join(some[int(rng.random() * len(some))] for some in names)
        organization = int(rng.random() >= _FIRST_ORGANIZATION_SHARE)
        post = "registered" if rng.random() < 0.15 else "guest"
        return Person(_uuid(rng), organization, name, post)

    def founding(self) -> Iterator[Event]:
        """The organizations, the staff and the robots, an hour before the firm's first day; who leaves it later."""
        at = self._firm.local(0, 0) - timedelta(hours=1)
        for identity, name in zip(self.organizations, ORGANIZATIONS, strict=True):
            yield Event(at, "organization_created", None, {"id": identity, "name": name})
        for person in [*self.staff, *self.robots.values()]:
            kind = {"supervisor": "supervisor", "robot": "robot"}.get(person.post, "agent")
            yield self._created(person, at, kind, login_of(person.name))
            if person.until:
                yield Event(person.until, "user_deleted", None, {"id": person.id})
        yield from self._roles(at)
        changed = self._firm.local(10, 9)
        yield Event(changed, "user_changed", self.staff[0].id, {"id": self.staff[0].id, "display_name": "Paula A."})

    def _roles(self, at: datetime) -> Iterator[Event]:
        """Managers may watch all rooms of their organization; a specialist stands in for one for two weeks."""
        for manager in (one for one in self.staff if one.post == "manager"):
            granted = {"id": self._id("role", manager.id), "user_id": manager.id, "role": "supervisor"}
            yield Event(at, "role_granted", None, granted)
        stand_in = next(one for one in self.staff if one.post == "T3")
        identity = self._id("role", stand_in.id)
        granted = {"id": identity, "user_id": stand_in.id, "role": "supervisor"}
        yield Event(self._firm.local(5, 9), "role_granted", None, granted)
        yield Event(self._firm.local(19, 9), "role_ended", None, {"id": identity})

    def arrival(self, customer: Person, number: int, at: datetime) -> Iterator[Event]:
        """A customer's account, made for the first room: some confirm their address, a few have it deleted later."""
        rng = self._rng("arrival", customer.id)
        yield self._created(customer, at, customer.post, f"{login_of(customer.name)}.{number}")
        if customer.post == "registered":
            verified: dict[str, Any] = {
                "id": customer.id,
                "current_account_status": "active",
                "is_email_verified": True,
            }
            yield Event(at + timedelta(seconds=20 + rng.random() * 600), "user_changed", customer.id, verified)
        elif rng.random() < 0.02:
            yield Event(at + timedelta(days=DELETED_AFTER_DAYS), "user_deleted", None, {"id": customer.id})

    def presence(self, day: int) -> Iterator[Event]:
        """Who of the staff comes, has lunch and goes on the firm's nth local day; nobody on a Sunday."""
        if (self._firm.first_day + timedelta(days=day)).weekday() == 6:
            return
        for person in self.staff:
            rng = self._rng("presence", f"{person.id}:{day}")
            if rng.random() < 0.06 or (person.until and self._firm.local(day, 0) >= person.until):
                continue
            start, end = person.shift
            for hour, status in ((start, "online"), (start + 4, "away"), (start + 5, "online"), (end, "offline")):
                at = self._firm.local(day, hour + rng.random() * 0.2)
                yield Event(at, "presence_changed", person.id, {"user_id": person.id, "to_status": status})

    def _created(self, person: Person, at: datetime, kind: str, login: str) -> Event:
        first, _, last = person.name.partition(" ")
        fields: dict[str, Any] = {
            "id": person.id,
            "organization_id": self.organizations[person.organization],
            "username": login if not person.robot_id else f"{login}.{person.organization}",
            "first_name": first,
            "last_name": last or first,
            "email": f"{login}@{'example' if not person.robot_id else f'robots{person.organization}.example'}.test",
            "account_type_informal": kind,
        }
        if kind in ("agent", "supervisor", "robot"):
            fields |= {"current_account_status": "active", "is_email_verified": True}
        return Event(at, "user_created", None, fields)

    def _staff(self) -> Iterator[Person]:
        number = 0
        for organization, posts in enumerate(_POSTS):
            for post, count in posts:
                for place in range(count):
                    yield Person(
                        self._id("staff", STAFF_NAMES[number]),
                        organization,
                        STAFF_NAMES[number],
                        post,
                        _SHIFTS[place % len(_SHIFTS)],
                        self._firm.local(_LEAVES_FIRM[1], 18) if number == _LEAVES_FIRM[0] else None,
                    )
                    number += 1

    @staticmethod
    def _known_before(number: int) -> int:
        return (number * 2 + 4) // 5

    def _rng(self, kind: str, name: str) -> random.Random:
        return random.Random(f"rooms:{self._firm.seed}:{kind}:{name}")

    def _id(self, kind: str, name: str) -> str:
        return _uuid(self._rng(kind, name))


def _uuid(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
