"""Calls: whom they ring, who takes them, and how they end."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from dagster_project.sources.calls.sandbox import faults
from dagster_project.sources.calls.sandbox.duties import Duty, Talk
from dagster_project.sources.calls.sandbox.firm import Firm, new_id, seconds
from dagster_project.sources.calls.sandbox.life import Life, begun
from dagster_project.sources.calls.sandbox.staff import ORGANIZATION_OF_POOL, Staff
from dagster_project.sources.calls.sandbox.visits import Request

_RINGS_FOR = 15  # seconds, at one agent
_MAX_OFFERS = 4
_WAITS_FOR_NOBODY = 30  # seconds
_FAILED, _STUCK = 0.012, 0.004


class Ringing:
    """The calls of a local day, taken by whoever works on it."""

    def __init__(self, firm: Firm, staff: Staff, day: int, duties: list[Duty]) -> None:
        self._firm, self._staff, self._duties = firm, staff, duties
        self._token = firm.id("token", day) if faults.falls_on(day, faults.TOKEN_TWICE) else None
        self._token_left = 2 if self._token else 0

    def calls(self, requests: list[Request]) -> Iterator[Life]:
        """The rows of the calls and of their offers, in the order in which they were asked for."""
        for request in sorted(requests, key=lambda one: one.at):
            call = self._asked(request)
            offers = self._ring(call, request)
            yield call
            yield from offers

    def _asked(self, request: Request) -> Life:
        rng, pool = request.rng, request.pool
        return begun(
            "call_logs",
            new_id(rng),
            request.at,
            organization_id=self._staff.organizations[ORGANIZATION_OF_POOL[pool]],
            site_id=self._staff.sites[ORGANIZATION_OF_POOL[pool]],
            pool_id=self._staff.pools[pool],
            visitor_id=request.visitor_id,
            visitor_country_code=request.country,
            page_url=request.page_url,
            pageview_id=request.pageview_id,
        )

    def _ring(self, call: Life, request: Request) -> list[Life]:
        """Ask one agent after the other, until one takes the call or nobody is left; returns the offers."""
        rng, offers = request.rng, list[Life]()
        if rng.random() < _STUCK:
            return offers
        if rng.random() < _FAILED:
            _end(call, request.at + seconds(1 + 3 * rng.random()), "failed", "system")
            return offers
        leaves = request.at + seconds(request.patience)
        at = request.at + seconds(0.4 + rng.random())
        asked = list[Duty]()
        outcomes = list[str]()
        while len(asked) < _MAX_OFFERS and at < leaves:
            duty = self._next(at, request, asked)
            if not duty:
                break
            asked.append(duty)
            if len(asked) == 1:
                call.then(at, ring_started_at=at)
            offer = begun(
                "call_offers",
                new_id(rng),
                at,
                call_id=call.id,
                call_created_at=call.at,
                agent_id=duty.agent.id,
                offered_at=at,
            )
            draw = rng.random()
            outcome, wait = (
                ("declined", 2 + 7 * rng.random())
                if draw < 0.07
                else ("timeout", _RINGS_FOR)
                if draw < 0.19
                else ("accepted", min(1.2 + rng.expovariate(1 / 4.5), _RINGS_FOR - 0.5))
            )
            decided = at + seconds(wait)
            if leaves < decided:
                outcome, decided = "withdrawn", leaves
            offer.then(decided, outcome=outcome, decided_at=decided)
            offers.append(offer)
            duty.free_at = at = decided
            outcomes.append(outcome)
            if outcome == "accepted":
                self._take(call, duty, decided, request)
                return offers
            if outcome == "withdrawn":
                break
        self._unanswered(call, at, leaves, outcomes)
        return offers

    def _next(self, at: datetime, request: Request, asked: list[Duty]) -> Duty | None:
        """Whoever of the pool was idle for longest; now and then somebody of another pool."""
        free = [duty for duty in self._duties if duty.is_free(at) and duty not in asked]
        of_pool = [duty for duty in free if request.pool in duty.agent.pools]
        if not of_pool and free and request.rng.random() < faults.OUTSIDE_POOL:
            organization = ORGANIZATION_OF_POOL[request.pool]
            of_pool = [duty for duty in free if duty.agent.organization == organization]
        return min(of_pool, key=lambda duty: (duty.free_at, duty.agent.number), default=None)

    def _unanswered(self, call: Life, at: datetime, leaves: datetime, outcomes: list[str]) -> None:
        if "withdrawn" in outcomes or leaves <= at:
            _end(call, max(leaves, at), "canceled", "visitor")
        elif not outcomes:
            waits = call.at + timedelta(seconds=_WAITS_FOR_NOBODY)
            if leaves < waits:
                _end(call, leaves, "canceled", "visitor")
            else:
                _end(call, waits, "missed", "system")
        else:
            _end(call, at, "rejected" if set(outcomes) == {"declined"} else "missed", "system")

    def _take(self, call: Life, duty: Duty, at: datetime, request: Request) -> None:
        rng = request.rng
        talk = at + seconds(min(20 + rng.lognormvariate(4.7, 0.75), 3600))
        answered, ended = at, talk
        if rng.random() < faults.SKEWED_CLOCK:
            if rng.random() < 0.5:
                answered = call.at - seconds(1 + 20 * rng.random())
            else:
                ended = at - seconds(5 + 60 * rng.random())
        token = self._token if self._token_left else f"reconnect-{new_id(rng)}"
        self._token_left -= self._token_left > 0
        call.then(
            at,
            status="accepted",
            agent_id=duty.agent.id,
            answered_at=answered,
            reconnect_token=token,
            reconnect_eligible=True,
        )
        for again in range(1 if rng.random() < 0.06 else 0):
            cut = at + (talk - at) * (0.2 + 0.5 * rng.random())
            call.then(cut, reconnect_deadline_at=cut + timedelta(minutes=2))
            call.then(cut + seconds(4 + 20 * rng.random()), reconnect_count=again + 1)
        if rng.random() < faults.ORPHANED:
            duty.talks.append(Talk(at, talk, None))
        else:
            _end(call, ended, "completed", "visitor" if rng.random() < 0.6 else "agent", written_at=talk)
            wrapped = talk + seconds(8 + rng.expovariate(1 / 35))
            duty.talks.append(Talk(at, talk, wrapped, is_tied=rng.random() < faults.STATUS_TIE))
            if rng.random() < 0.9:
                organization = ORGANIZATION_OF_POOL[request.pool]
                disposition = rng.choices(self._staff.dispositions[organization], (12, 30, 20, 30, 8))[0]
                call.then(wrapped, disposition_id=disposition)
        duty.free_at = duty.talks[-1].over


def _end(call: Life, at: datetime, status: str, by: str, written_at: datetime | None = None) -> None:
    call.then(written_at or at, status=status, ended_at=at, ended_by=by, reconnect_eligible=False)
