"""What becomes of a case that the first agent cannot solve: from level to level, sometimes back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dagster_project.sources import invented_texts as words
from dagster_project.sources.rooms.sandbox import texts
from dagster_project.sources.rooms.sandbox.people import People, Person
from dagster_project.sources.rooms.sandbox.room import Room
from dagster_project.sources.rooms.sandbox.script import Script
from dagster_project.sources.rooms.tables import LEVELS

_MAX_STEPS = 5


@dataclass(frozen=True, slots=True)
class Escalation:
    """A case on its way: who has it, at which level, since when, and how long the talk is at each level."""

    agent: Person
    level: str
    at: datetime
    length: int
    step: int = 1


def escalate(script: Script, people: People, room: Room, case: Escalation) -> None:
    """One step, and those after it, until the case is resolved, called off, or left open."""
    rng = script.rng
    level = _next_level(script, case)
    made, identity = case.at + script.after(120), script.new_id()
    target = _target_room(script, people, room, case, level, made) if rng.random() < 0.75 else None
    here = target or room
    script.note(
        made,
        "escalated",
        case.agent.id,
        id=identity,
        source_room_id=room.id,
        target_room_id=target.id if target else None,
        escalation_reason=script.one_of(texts.REASONS),
        from_level=case.level,
        to_level=level,
        priority=1 + int(rng.random() ** 0.7 * 5),
        created_by_user_id=case.agent.id,
    )
    if target:
        for place in (room.id, target.id):
            script.system(made, place, case.agent, texts.ESCALATED, nivel=level)
        room.conclude(script, made + timedelta(seconds=1), case.agent, "escalated", None)
    if rng.random() < 0.05:  # called off before anybody looked at it
        cancelled = made + script.after(900)
        script.note(cancelled, "escalation_cancelled", case.agent.id, id=identity)
        here.conclude(script, cancelled + script.after(120), case.agent, "resolved", None)
        return
    other = people.pick(room.customer.organization, level, made, rng)
    assigned = made + script.after(400)
    script.note(assigned, "escalation_assigned", case.agent.id, id=identity, assigned_to_user_id=other.id)
    if rng.random() < 0.03:  # and nobody ever begins
        return
    started = assigned + script.after(600)
    script.note(started, "escalation_started", other.id, id=identity)
    script.join(started, here.id, other, "moderator")
    first = started + script.after(90)
    script.fields = {**script.fields, "asesor": other.first_name}
    script.say(first, here.id, other, script.one_of(words.GREETINGS), plain=True)
    at = here.talk(script, other, first, max(2, case.length // 2))
    _end_of_step(script, people, here, identity, Escalation(other, level, at, case.length, case.step + 1))


def _end_of_step(script: Script, people: People, here: Room, identity: str, case: Escalation) -> None:
    rng, at = script.rng, case.at
    draw = rng.random()
    if draw < 0.3 and case.step < _MAX_STEPS and (case.level != "manager" or draw < 0.04):
        if rng.random() < 0.8:  # else it stays open beside the next one, which supersedes it
            done = at + timedelta(seconds=1)
            notes = f"Pasa de {case.level}"
            script.note(done, "escalation_resolved", case.agent.id, id=identity, resolution_notes=notes)
        escalate(script, people, here, case)
    elif draw < 0.36:
        called_off = at + script.after(600)
        script.note(called_off, "escalation_cancelled", case.agent.id, id=identity)
        here.conclude(script, called_off + script.after(60), case.agent, "unresolved", None)
    elif draw < 0.42:  # still open
        return
    else:
        done = at + script.after(600)
        notes = script.one_of(texts.NOTES)
        script.note(done, "escalation_resolved", case.agent.id, id=identity, resolution_notes=notes)
        here.conclude(script, done + timedelta(seconds=2), case.agent, "resolved", notes)


def _next_level(script: Script, case: Escalation) -> str:
    """The next level, now and then one further on, or back to the one before."""
    place, draw = LEVELS.index(case.level), script.rng.random()
    if place and (draw < 0.12 or place == len(LEVELS) - 1):
        return LEVELS[place - 1]
    return LEVELS[min(place + (2 if draw > 0.8 else 1), len(LEVELS) - 1)]


def _target_room(script: Script, people: People, room: Room, case: Escalation, level: str, at: datetime) -> Room:
    """The room that the next level opens, to which the customer moves."""
    identity = script.create(
        at,
        room.customer,
        people.organizations[room.customer.organization],
        room_type="escalated",
        issue_id=room.issue,
        issue_description=room.topic.tag,
        parent_room_id=room.id,
        escalation_level=LEVELS.index(level) + 1,
    )
    script.leave(at, room.id, room.customer)
    role = "guest" if room.role == "guest" else "member"
    script.join(at, identity, room.customer, role, by=case.agent.id)
    return Room(identity, room.issue, room.customer, role, room.topic, room.last)
