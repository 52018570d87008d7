"""The life of a support room: a customer, perhaps a robot, the first agent who is free, and what comes of it."""

import random
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from dagster_project.sources import invented_texts as words
from dagster_project.sources.rooms.sandbox import texts
from dagster_project.sources.rooms.sandbox.escalating import Escalation, escalate
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.people import ORGANIZATIONS, People, Person
from dagster_project.sources.rooms.sandbox.robot_talk import robot_talk
from dagster_project.sources.rooms.sandbox.room import Room
from dagster_project.sources.rooms.sandbox.script import Script
from dagster_project.sources.rooms.steps import Event

LONGEST_LIFE_DAYS = 45  # after these nothing happens in a room any more, nor to its customer's account
_TOPIC_BOUNDS = [weight / 100 for weight in accumulate(topic.weight for topic in words.TOPICS)]
_PROJECTS = ("El Bosque", "Majagua", "La Colina")
_LAST_WORK_DAY = 40  # archived, at the latest


class SupportRooms:
    """Makes support rooms, each from its number alone."""

    def __init__(self, firm: Firm, people: People) -> None:
        self._firm = firm
        self._people = people
        self._zone = ZoneInfo(firm.zone)
        self.arrivals = firm.arrivals()

    def life(self, number: int) -> list[Event]:
        """All that will ever happen in room `number` and in the rooms that it is escalated to."""
        rng, second = self.arrivals.draw(number)
        created = datetime.fromtimestamp(second, UTC) + timedelta(milliseconds=int(rng.random() * 1000))
        customer = self._people.customer_of_room(number, rng)
        topic = words.TOPICS[bisect_right(_TOPIC_BOUNDS, rng.random() * 0.999)]
        script = Script(rng, self._fields(rng, customer))
        if self._people.is_first_room(number):
            script.events += self._people.arrival(customer, number, created - timedelta(seconds=1))
        room = self._open(script, created, customer, topic, number)
        script.say(created, room.id, customer, script.one_of(topic.openings), plain=True)
        at: datetime | None = created
        if rng.random() < 0.7:
            robot = self._people.robot(customer.organization, rng)
            at = robot_talk(script, room, robot, created)
        if at is not None:
            self._with_people(script, room, at)
        limit = created + timedelta(days=LONGEST_LIFE_DAYS)
        return [event for event in script.events if event.at < limit]

    def _open(self, script: Script, at: datetime, customer: Person, topic: words.Topic, number: int) -> Room:
        issue = f"CASO-{number + 1:06d}"
        identity = script.create(
            at,
            customer,
            self._people.organizations[customer.organization],
            room_type="support",
            issue_id=issue,
            issue_description=topic.tag,
        )
        # Who has an account steers the room: it has no guest, and its customer is who opened it.
        role = "guest" if customer.post == "guest" else "moderator"
        script.join(at, identity, customer, role)
        return Room(identity, issue, customer, role, topic, at + timedelta(days=_LAST_WORK_DAY))

    def _with_people(self, script: Script, room: Room, opened: datetime) -> None:
        """From the opening for people to the end."""
        rng = script.rng
        agent_wait = self._wait_for_agent(opened, rng)
        if rng.random() < 0.05:
            self._give_up(script, room, opened)
            return
        joined = opened + agent_wait
        agent = self._people.pick(room.customer.organization, "T1", joined, rng)
        script.join(joined, room.id, agent)
        greeted = joined + script.after(35)
        script.fields = {**script.fields, "asesor": agent.first_name}
        script.say(greeted, room.id, agent, script.one_of(words.GREETINGS), plain=True)
        length = 1 + int(rng.expovariate(1 / self._firm.messages_per_room))
        escalates = rng.random() < 0.25
        at = room.talk(script, agent, greeted, max(1, length // 2 if escalates else length))
        if rng.random() < 0.05:
            at = self._steps_out(script, room, agent, at)
        if rng.random() < (0.5 if room.topic.tag == "Reclamo" else 0.04):
            self._watch(script, room, at)
        if escalates:
            escalate(script, self._people, room, Escalation(agent, "T1", at, length))
            return
        draw = rng.random()
        if draw < 0.02:
            self._never_end(script, room, agent, at)
        elif draw < 0.08:
            closed = at + timedelta(hours=24)
            room.conclude(script, closed, None, "abandoned", texts.SUMMARIES[-1])
        else:
            self._finish(script, room, agent, at)

    def _finish(self, script: Script, room: Room, agent: Person, at: datetime) -> None:
        """Goodbyes and the end; one in twenty comes back, and is finished again. Old rooms are archived."""
        rng = script.rng
        thanks = at + script.after(60)
        script.say(thanks, room.id, room.customer, script.one_of(words.THANKS), plain=True)
        closed = thanks + script.after(600)
        outcome = "duplicate" if rng.random() < 0.03 else "resolved"
        room.conclude(script, closed, agent, outcome, script.one_of(texts.SUMMARIES[:-1]))
        if rng.random() < 0.05:
            again = closed + timedelta(hours=2 + rng.random() * 60)
            script.note(again, "room_reopened", agent.id, id=room.id)
            script.say(again + timedelta(seconds=5), room.id, room.customer, script.one_of(texts.AGAIN), plain=True)
            at = room.talk(script, agent, again + script.after(900), 4)
            closed = at + script.after(1200)
            room.conclude(script, closed, agent, "resolved", script.one_of(texts.SUMMARIES[:-1]))
        if rng.random() < 0.6 and closed + timedelta(days=30) < room.last:
            script.note(closed + timedelta(days=30), "room_archived", None, id=room.id)

    def _give_up(self, script: Script, room: Room, opened: datetime) -> None:
        """Nobody comes: the customer leaves, and a timer closes the room."""
        for _ in range(int(script.rng.random() * 3)):
            opened += script.after(240)
            script.say(opened, room.id, room.customer, script.one_of(words.NUDGES), plain=True)
        left = opened + script.after(900)
        script.leave(left, room.id, room.customer)
        room.conclude(script, left + timedelta(hours=12), None, "abandoned", None)

    def _never_end(self, script: Script, room: Room, agent: Person, at: datetime) -> None:
        """Every few days somebody writes, and nobody closes the room."""
        while at < room.last:
            at += script.after(4 * 86_400)
            script.say(at, room.id, room.customer, script.one_of(room.topic.customer))
            if script.rng.random() < 0.8:
                at += script.after(4_000)
                script.say(at, room.id, agent, script.one_of(room.topic.agent))

    def _steps_out(self, script: Script, room: Room, agent: Person, at: datetime) -> datetime:
        """The agent leaves at the end of a shift, and comes back."""
        out = at + script.after(300)
        script.leave(out, room.id, agent)
        back = out + timedelta(hours=1 + script.rng.random() * 15)
        script.join(back, room.id, agent)
        return room.talk(script, agent, back + script.after(60), 3)

    def _watch(self, script: Script, room: Room, at: datetime) -> None:
        """The supervisor reads the room, without being in it."""
        supervisor = self._people.pick(room.customer.organization, "supervisor", at, script.rng)
        script.note(
            at + script.after(1800),
            "room_viewed",
            supervisor.id,
            user_id=supervisor.id,
            room_id=room.id,
            purpose="calidad",
            rows_read=1 + int(script.rng.random() * 40),
        )

    def _wait_for_agent(self, at: datetime, rng: random.Random) -> timedelta:
        """Minutes in office hours, mostly; in the night until the morning."""
        hour = at.astimezone(self._zone).hour
        seconds = 10 * 40 ** rng.random() if rng.random() < 0.8 else 300 * 20 ** rng.random()
        if not 7 <= hour < 21:
            seconds += ((7 - hour) % 24) * 3600 + rng.random() * 3600
        return timedelta(seconds=round(seconds, 3))

    @staticmethod
    def _fields(rng: random.Random, customer: Person) -> dict[str, str]:
        return {
            "proyecto": _PROJECTS[int(rng.random() * 3)],
            "nombre": customer.first_name,
            "asesor": "su asesor",
            "firma": ORGANIZATIONS[customer.organization],
            "valor": f"${60 + int(rng.random() * 240)}.000.000",
            "cuota": f"${400_000 + int(rng.random() * 440) * 5_000:,}".replace(",", "."),
            "lote": f"lote {1 + int(rng.random() * 180)}",
            "fecha": f"{1 + int(rng.random() * 28)} del próximo mes",
        }
