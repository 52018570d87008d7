"""Rooms of the staff alone: a group for each department, and pairs who write to each other. They never end."""

import random
from collections.abc import Iterator
from datetime import timedelta

from dagster_project.sources.rooms.sandbox import texts
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.people import People, Person
from dagster_project.sources.rooms.sandbox.script import Script
from dagster_project.sources.rooms.steps import Event

_GROUP_MESSAGES, _PAIR_MESSAGES = 12, 3  # a work day's mean
_PAIRS = 4
_FIELDS = {"proyecto": "Majagua", "lote": "lote 12", "fecha": "15 de este mes"}


class StaffRooms:
    """Makes what happens in the staff's rooms, day by day."""

    def __init__(self, firm: Firm, people: People) -> None:
        self._firm = firm
        self._people = people
        script = Script(self._rng("founding"), _FIELDS)
        self._rooms = [*self._groups(script), *self._pairs(script)]
        self._founding = script.events

    def founding(self) -> list[Event]:
        """The rooms and who is in them at first, in the firm's first hour."""
        return self._founding

    def day(self, day: int) -> Iterator[Event]:
        """What is written on the firm's nth local day, and who leaves a group and comes back."""
        if (self._firm.first_day + timedelta(days=day)).weekday() == 6:
            return
        for number, (room, members) in enumerate(self._rooms):
            rng = self._rng(f"{number}:{day}")
            at = self._firm.local(day, 8)
            there = [one for one in members if one.until is None or at < one.until]
            script = Script(rng, _FIELDS)
            is_group = len(members) > 2
            for _ in range(int(rng.random() * 2 * (_GROUP_MESSAGES if is_group else _PAIR_MESSAGES) + 0.5)):
                at += script.after(3_000 if is_group else 7_000)
                if at > self._firm.local(day, 20):
                    break
                sender = there[int(rng.random() * len(there))]
                script.say(at, room, sender, script.one_of(texts.GROUP_LINES if is_group else texts.DIRECT_LINES))
            if is_group and rng.random() < 0.12:
                self._goes_and_comes(script, room, there, day)
            yield from script.events

    def _goes_and_comes(self, script: Script, room: str, members: list[Person], day: int) -> None:
        """A member is taken out in the evening, or goes, and is let in again before the morning by who steers it."""
        rng = script.rng
        member = members[1 + int(rng.random() * (len(members) - 1))]
        out = self._firm.local(day, 21 + rng.random())
        if rng.random() < 0.4:
            script.note(out, "participant_removed", members[0].id, room_id=room, user_id=member.id)
        else:
            script.leave(out, room, member)
        script.join(out + timedelta(hours=8 * rng.random()), room, member, by=members[0].id)

    def _groups(self, script: Script) -> Iterator[tuple[str, list[Person]]]:
        at = self._firm.local(0, 0.1)
        for number, name in enumerate(texts.GROUP_NAMES):
            organization = 0 if number < len(texts.GROUP_NAMES) - 1 else 1
            staff = [one for one in self._people.staff if one.organization == organization]
            members = staff if organization else staff[number::2]
            room = script.create(
                at, members[0], self._people.organizations[organization], room_type="group", name=name, is_private=True
            )
            for place, member in enumerate(members):
                role = "moderator" if not place else "observer" if member.post == "supervisor" else "member"
                script.join(at, room, member, role, by=members[0].id)
            yield room, [member for member in members if member.post != "supervisor"]

    def _pairs(self, script: Script) -> Iterator[tuple[str, list[Person]]]:
        at = self._firm.local(0, 0.2)
        staff = [one for one in self._people.staff if one.organization == 0 and one.until is None]
        for number in range(_PAIRS):
            pair = [staff[number], staff[-1 - number]]
            room = script.create(
                at,
                pair[0],
                self._people.organizations[0],
                room_type="direct",
                is_private=True,
                guest_access_allowed=False,
                max_participants=2,
            )
            for role, member in zip(("moderator", "member"), pair, strict=True):
                script.join(at, room, member, role, by=pair[0].id)
            yield room, pair

    def _rng(self, name: str) -> random.Random:
        return random.Random(f"rooms:{self._firm.seed}:staff:{name}")
