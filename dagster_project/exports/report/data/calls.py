"""What a report says of a website's calls, as plain numbers: outcomes, the funnel, coverage, staffing, agents.

No data is None beside a count of 0. Durations are in seconds, rates and shares from 0 to 1.
"""

from dataclasses import dataclass

EVERYTHING = "all"  # the member of a breakdown that is all of them
OUTCOMES = ("answered", "missed", "rejected", "abandoned", "short_abandoned", "failed", "waiting")


@dataclass(frozen=True)
class CallGroup:
    """Calls of a period: of all, or of a member of a scope. `target_seconds` is what answered in time means.

    Rates are of those that count (`judged_count`); times are of those answered, handling of those that have ended.
    """

    scope: str
    scope_id: str
    scope_name: str
    call_count: int
    answered_count: int
    missed_count: int
    rejected_count: int
    abandoned_count: int
    short_abandoned_count: int
    failed_count: int
    waiting_count: int
    judged_count: int
    answer_rate: float | None
    service_level: float | None
    abandon_rate: float | None
    miss_rate: float | None
    p50_answer_seconds: float | None
    p90_answer_seconds: float | None
    mean_handle_seconds: float | None
    target_seconds: int
    target_share: float


@dataclass(frozen=True)
class Funnel:
    """Visits of a period that came to each step; without pageviews at the source the first step is None."""

    scope: str
    scope_id: str
    scope_name: str
    visit_count: int
    pageview_visit_count: int | None
    popup_visit_count: int
    call_visit_count: int
    accepted_visit_count: int
    completed_visit_count: int
    popup_rate: float | None
    call_rate: float | None
    accepted_rate: float | None
    completed_rate: float | None
    overall_rate: float | None
    direct_call_count: int
    anonymous_count: int
    bot_count: int
    suspected_bot_count: int


@dataclass(frozen=True)
class CoveredScope:
    """For which part of a period somebody of a scope was signed in, and what was asked for when nobody was."""

    scope: str
    scope_id: str
    scope_name: str
    covered_share: float | None
    mean_agent_count: float | None
    peak_agent_count: int
    pageview_count: int
    uncovered_pageview_count: int
    uncovered_pageview_share: float | None
    call_count: int
    uncovered_call_count: int
    uncovered_call_share: float | None


@dataclass(frozen=True)
class CoveredCell:
    """A weekday (0 = Sunday) × hour of a period, of all agents. `covered_share` None: nothing of it has passed."""

    day_of_week: int
    hour: int
    covered_share: float | None
    mean_agent_count: float | None
    pageview_count: int
    uncovered_pageview_count: int
    call_count: int
    uncovered_call_count: int


@dataclass(frozen=True)
class StaffedHour:
    """A pool's weekday × hour over the last eight weeks: whom its calls need, beside whom there was.

    What is needed is None under 20 calls.
    """

    pool_name: str
    day_of_week: int
    hour: int
    hour_count: int
    call_count: int
    mean_call_count: float | None
    mean_handle_seconds: float | None
    needed_agent_count: int | None
    expected_service_level: float | None
    expected_occupancy_share: float | None
    mean_present_agent_count: float | None
    agent_gap: float | None


@dataclass(frozen=True)
class CallAgent:
    """An agent's period, or that of all of them: time signed in, how much of it for calls, what became of offers."""

    agent_id: str
    agent_name: str
    signed_in_seconds: int
    occupancy_share: float | None
    utilization_share: float | None
    is_overloaded: bool | None
    answered_count: int
    talk_seconds_sum: int
    offer_count: int
    offer_accept_rate: float | None
    missed_offer_count: int


@dataclass(frozen=True)
class Calls:
    """A period of calls beside the period before. Breakdowns hold the member `all` first.

    `hours` are those of pools with calls, those that lack agents first; they are of the last eight weeks, whatever the
    period.
    """

    groups: tuple[CallGroup, ...]
    group_before: CallGroup | None
    funnels: tuple[Funnel, ...]
    funnel_before: Funnel | None
    covered: tuple[CoveredScope, ...]
    covered_before: CoveredScope | None
    cells: tuple[CoveredCell, ...]
    hours: tuple[StaffedHour, ...]
    agents: tuple[CallAgent, ...]
    agents_before: CallAgent | None

    @property
    def all_calls(self) -> CallGroup | None:
        """Those of the whole period; None where there was none."""
        return next((one for one in self.groups if one.scope == EVERYTHING), None)

    def of_scope(self, scope: str) -> tuple[CallGroup, ...]:
        """The calls of all, or by pool, site, country or disposition."""
        return tuple(one for one in self.groups if one.scope == scope)

    @property
    def all_visits(self) -> Funnel | None:
        """The funnel of all visits; None where there was none."""
        return next((one for one in self.funnels if one.scope == EVERYTHING), None)

    @property
    def all_covered(self) -> CoveredScope | None:
        """The coverage by all agents; None where nobody was there, and nobody came."""
        return next((one for one in self.covered if one.scope == EVERYTHING), None)

    @property
    def all_agents(self) -> CallAgent | None:
        """All agents together; None where none was there."""
        return next((one for one in self.agents if one.agent_id == EVERYTHING), None)

    @property
    def each_agent(self) -> tuple[CallAgent, ...]:
        """The agents, each by itself."""
        return tuple(one for one in self.agents if one.agent_id != EVERYTHING)
