"""What a robot does with a customer before any person is there: contains it, hands it over, or loses the customer."""

from datetime import datetime, timedelta
from typing import Any

from dagster_project.sources.rooms.sandbox import texts
from dagster_project.sources.rooms.sandbox.people import Person
from dagster_project.sources.rooms.sandbox.room import Room
from dagster_project.sources.rooms.sandbox.script import Script

_CONTAINED, _LAPSED, _HELD = 0.36, 0.46, 0.48  # the rest is handed over
_SECONDS = {"asistente-ventas": 1.2, "asistente-cartera": 3.0}  # an answer's mean time


def robot_talk(script: Script, room: Room, robot: Person, at: datetime) -> datetime | None:
    """The robot's part. Returns when it handed the room over to people; None where it never did."""
    rng = script.rng
    script.join(at, room.id, robot)
    question = script.say(
        at + timedelta(seconds=1), room.id, room.customer, script.one_of(room.topic.customer), plain=True
    )
    at = _answer(script, room, robot, at + timedelta(seconds=2), question, texts.ROBOT_GREETING)
    for _ in range(1 + int(rng.random() * 4)):
        at += script.after(25)
        question = script.say(at, room.id, room.customer, script.one_of(room.topic.customer), plain=True)
        at = _answer(script, room, robot, at, question, script.one_of(texts.ROBOT_LINES))
    ending = rng.random()
    at += script.after(30)
    if ending < _CONTAINED:
        _contain(script, room, robot, at)
    elif ending < _LAPSED:
        script.robot_says(at + timedelta(hours=3), room.id, robot, texts.ROBOT_TIMED_OUT, None)
        room.conclude(script, at + timedelta(hours=3, seconds=5), None, "abandoned", None)
    elif ending >= _HELD:
        return _hand_over(script, room, robot, at)
    return None


def _contain(script: Script, room: Room, robot: Person, at: datetime) -> None:
    script.say(at, room.id, room.customer, script.one_of(texts.GUEST_CONTENT), plain=True)
    script.robot_says(at + timedelta(seconds=2), room.id, robot, texts.ROBOT_GOODBYE, None)
    by = robot if script.rng.random() < 0.6 else room.customer
    room.conclude(script, at + script.after(60), by, "resolved", None)


def _hand_over(script: Script, room: Room, robot: Person, at: datetime) -> datetime:
    """The robot gives up its place: by its own interaction, in one case of ten with nothing said about it."""
    question = script.say(at, room.id, room.customer, script.one_of(texts.GUEST_ASKS_PERSON), plain=True)
    begun = at + timedelta(seconds=1)
    handed = begun + _time_of(script, robot)
    _interact(script, begun, handed, question, robot, "completed", is_handover=script.rng.random() < 0.9)
    script.robot_says(handed, room.id, robot, texts.ROBOT_HANDOVER, question)
    if script.rng.random() < 0.25:  # for the agent's eyes alone
        hint = script.one_of(texts.ROBOT_HINTS)
        script.robot_says(handed + timedelta(seconds=1), room.id, robot, hint, question, seen=False)
    return handed


def _answer(script: Script, room: Room, robot: Person, at: datetime, question: str, text: str) -> datetime:
    """An answer, which can fail, or never come. Returns when the customer has it, or has waited enough."""
    draw, begun = script.rng.random(), at + timedelta(seconds=0.2)
    done = begun + _time_of(script, robot)
    if draw < 0.04:
        _interact(script, begun, done, question, robot, "failed")
        return done
    if draw < 0.05:  # asked, and never heard of again
        _interact(script, begun, None, question, robot, "pending")
        return begun + timedelta(minutes=2)
    _interact(script, begun, done, question, robot, "completed")
    script.robot_says(done, room.id, robot, text, question)
    return done + timedelta(seconds=3)


def _interact(
    script: Script,
    begun: datetime,
    done: datetime | None,
    question: str,
    robot: Person,
    status: str,
    *,
    is_handover: bool = False,
) -> None:
    interaction = script.new_id()
    script.note(
        begun,
        "robot_started",
        robot.id,
        id=interaction,
        message_id=question,
        robot_id=robot.robot_id,
        status="processing",
        request_data={"model": f"{robot.robot_id}-1", "turns": 1 + int(script.rng.random() * 5)},
    )
    if done is None:
        return
    more: dict[str, Any] = (
        {"error_message": script.one_of(texts.ROBOT_ERRORS)}
        if status == "failed"
        else {"response_data": {"tokens": 20 + int(script.rng.random() * 200)}, "is_handover": is_handover}
    )
    script.note(done, "robot_finished", robot.id, id=interaction, status=status, **more)


def _time_of(script: Script, robot: Person) -> timedelta:
    mean = _SECONDS.get(robot.robot_id or "", 2.0)
    return timedelta(seconds=round(0.3 + script.rng.expovariate(1 / mean), 3))
