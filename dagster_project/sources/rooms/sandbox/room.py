"""One room with a customer in it, and the talk of two people."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dagster_project.sources import invented_texts as words
from dagster_project.sources.rooms.sandbox.people import Person
from dagster_project.sources.rooms.sandbox.script import Script


@dataclass(frozen=True, slots=True)
class Room:
    """A room, its case's number, its customer with their role, its topic, and when the last word is said."""

    id: str
    issue: str
    customer: Person
    role: str
    topic: words.Topic
    last: datetime

    def talk(self, script: Script, agent: Person, at: datetime, length: int) -> datetime:
        """So many messages, of both in turns; now and then a night between two of them. Returns the last one's time."""
        rng, from_customer = script.rng, False
        for _ in range(length):
            if rng.random() < 0.65:
                from_customer = not from_customer
            then = at + (script.after(70) if rng.random() < 0.985 else timedelta(hours=7 + 24 * rng.random()))
            if then > self.last:
                break
            at = then
            topic = self.topic
            lines = (
                topic.customer + words.CUSTOMER_SMALL_TALK if from_customer else topic.agent + words.AGENT_SMALL_TALK
            )
            script.say(at, self.id, self.customer if from_customer else agent, script.one_of(lines))
        script.read(at + timedelta(seconds=2), self.id, self.customer)
        script.read(at + timedelta(seconds=3), self.id, agent)
        return at + timedelta(seconds=3)

    def conclude(self, script: Script, at: datetime, by: Person | None, outcome: str, summary: str | None) -> None:
        """Write down how it ended, which closes the room. The customer's confirmation is known for half of them."""
        confirmed = outcome == "resolved" and script.rng.random() < 0.5
        script.note(
            at,
            "room_concluded",
            by.id if by else None,
            room_id=self.id,
            outcome=outcome,
            concluded_by_user_id=by.id if by else None,
            is_confirmed_by_customer=True if confirmed else None,
            summary=summary.format_map(script.fields) if summary else None,
        )
