"""A day of an agent: signed in for a shift, with breaks and lunch, calls between them, and every change of status."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dagster_project.sources.calls.sandbox import faults
from dagster_project.sources.calls.sandbox.firm import Firm, new_id, seconds
from dagster_project.sources.calls.sandbox.life import Life, begun
from dagster_project.sources.calls.sandbox.staff import LEAVES_AFTER_DAYS, Agent, Staff

_ABSENT = 0.04


@dataclass(frozen=True, slots=True)
class Away:
    """A time in which an agent takes no calls."""

    start: datetime
    end: datetime
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A call that an agent took, until the wrap-up's end. `wrapped` None: no wrap-up, the agent heard of no end."""

    start: datetime
    end: datetime
    wrapped: datetime | None
    is_tied: bool = False

    @property
    def over(self) -> datetime:
        """When the agent is free again."""
        return self.wrapped or self.end


@dataclass(slots=True)
class Duty:
    """The day of one agent. `free_at`: when what was begun is over."""

    agent: Agent
    start: datetime
    end: datetime
    aways: list[Away]
    rng: random.Random
    free_at: datetime
    talks: list[Talk] = field(default_factory=list)

    def is_free(self, at: datetime) -> bool:
        """Whether the agent can be asked to take a call."""
        return (
            self.start <= at < self.end
            and self.free_at <= at
            and not any(one.start <= at < one.end for one in self.aways)
        )


def duties_of(firm: Firm, staff: Staff, day: int) -> list[Duty]:
    """Who works on a local day."""
    weekday = firm.date(day).weekday()
    found = []
    for agent in staff.agents:
        rng = firm.random("duty", day, agent.number)
        works = weekday < 5 or (agent.on_saturdays if weekday == 5 else agent.on_sundays)
        if not works or rng.random() < _ABSENT or (agent is staff.agents[-1] and day >= LEAVES_AFTER_DAYS):
            continue
        first, last = agent.shift if weekday < 5 else (9.0, 13.0) if weekday == 5 else (10.0, 14.0)
        start = firm.local(day, first) + seconds(rng.gauss(0, 240))
        end = firm.local(day, last) + seconds(rng.gauss(0, 300))
        found.append(Duty(agent, start, end, list(_aways(firm, day, first, last, rng)), rng, start))
    return found


def _aways(firm: Firm, day: int, first: float, last: float, rng: random.Random) -> Iterator[Away]:
    def away(hour: float, minutes: float, status: str, reason: str) -> Away:
        start = firm.local(day, hour) + seconds(rng.gauss(0, 300))
        return Away(start, start + seconds(60 * minutes * (0.8 + 0.4 * rng.random())), status, reason)

    yield away(first + 2.2, 15, "away", "break")
    if last - first > 5:
        yield away(max(12.2, first + 3.7), 60, "away", "lunch")
        yield away(last - 2, 15, "away", "break")
        if rng.random() < 0.5:
            yield away(last - 3.2, 25, "busy", "paperwork")


def lives_of(duty: Duty, firm: Firm, staff: Staff, day: int) -> Iterator[Life]:
    """The rows of a day: the session, with its faults, and the changes of status."""
    rng, agent = duty.rng, duty.agent
    last = max([duty.end, *(talk.over for talk in duty.talks)]) + seconds(5 + 40 * rng.random())
    organization = staff.organizations[agent.organization]
    session = begun(
        "agent_sessions",
        new_id(rng),
        duty.start,
        agent_id=agent.id,
        organization_id=organization,
        started_at=duty.start,
    )
    hit = day % len(staff.agents) == agent.number
    if hit and faults.falls_on(day, faults.FORTY_HOURS):
        ended = duty.start + timedelta(hours=40)
        session.then(ended, ended_at=ended, ended_by="timeout")
        yield session
        yield from _changes(duty, None, firm)
        return
    if hit and faults.falls_on(day, faults.LOST_OFFLINE):
        yield session
        yield from _changes(duty, None, firm)
        return
    session.then(last, ended_at=last, ended_by="agent" if rng.random() > 0.08 else "timeout")
    yield session
    yield from _changes(duty, last, firm)
    if rng.random() < faults.TWO_TABS:
        start = duty.start + seconds(30 + 3600 * rng.random())
        end = last - seconds(3600 * rng.random())
        tab = begun(
            "agent_sessions",
            new_id(rng),
            start,
            agent_id=agent.id,
            organization_id=organization,
            started_at=start,
        )
        tab.then(end, ended_at=end, ended_by="agent")
        yield tab


def stray_status(firm: Firm, staff: Staff, day: int) -> Iterator[Life]:
    """A status of somebody who is not signed in, at night."""
    if faults.falls_on(day, faults.WITHOUT_SESSION):
        rng = firm.random("stray", day)
        agent = staff.agents[day % len(staff.agents)]
        yield _change(firm, agent, firm.local(day, 3 + rng.random()), "offline", "available", "mobile")


def _changes(duty: Duty, last: datetime | None, firm: Firm) -> Iterator[Life]:
    """Every change of status of a day; the last one is lost where `last` is None."""
    agent, status = duty.agent, "offline"
    for at, following, reason in sorted(_wanted(duty, last), key=lambda one: one[0]):
        if following != status:
            yield _change(firm, agent, at, status, following, reason)
            status = following


def _wanted(duty: Duty, last: datetime | None) -> Iterator[tuple[datetime, str, str | None]]:
    yield duty.start, "available", None
    for talk in duty.talks:
        yield talk.start, "in_call", None
        if talk.wrapped:
            yield talk.end, "wrap_up", None
        within = next((one for one in duty.aways if one.start <= talk.over < one.end), None)
        over = talk.end if talk.is_tied else talk.over
        yield over, within.status if within else "available", within.reason if within else None
    for one in duty.aways:
        if not any(talk.start <= one.start < talk.over for talk in duty.talks):
            yield one.start, one.status, one.reason
        if not any(talk.start <= one.end < talk.over for talk in duty.talks):
            yield one.end, "available", None
    if last:
        yield last, "offline", None


def _change(firm: Firm, agent: Agent, at: datetime, before: str, after: str, reason: str | None) -> Life:
    identity = firm.id("status", agent.number, at.isoformat(), after)
    return begun(
        "agent_status_changes",
        identity,
        at,
        agent_id=agent.id,
        from_status=before,
        to_status=after,
        reason=reason,
        changed_at=at,
    )
