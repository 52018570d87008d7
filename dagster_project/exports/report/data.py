"""What a report says of a week or a month, as plain numbers. `reading` reads them; PDF and workbook show them.

No data is None beside a count of 0. Durations are in seconds, rates and shares from 0 to 1, dates local to the account.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from dagster_project.exports.report.period import Period
from dagster_project.exports.report.rooms import Rooms

Scope = Literal["all", "agent", "department", "channel", "source", "direction"]
SCOPES: tuple[Scope, ...] = ("all", "agent", "department", "channel", "source", "direction")
DIRECTIONS = ("incoming", "outgoing", "outgoing_broadcast")
Direction = Literal["incoming", "outgoing", "outgoing_broadcast", "unknown"]
Unit = Literal["chats", "messages", "transfers", "seconds", "share", "points"]
Clock = Literal["wall", "business"]
Band = Literal["fast", "average", "slow", "no_data"]
CLOCKS: tuple[Clock, ...] = ("wall", "business")
TIMES = ("pickup", "first_response", "reply", "handling", "resolution")
SLA_METRICS = ("overall", "pickup", "first_response", "avg_reply", "resolution")
BUCKETS = ("under_1m", "from_1m_to_3m", "from_3m_to_5m", "from_5m_to_10m", "over_10m")


@dataclass(frozen=True)
class Filter:
    """Whose chats these are, all or those of one agent, department, channel, source or direction; how they began.

    They have no times where they come from several sources.
    """

    scope: Scope = "all"
    scope_id: str = "all"
    name: str = "all"
    began: str = "incoming"
    has_times: bool = True

    @property
    def direction(self) -> str:
        """How the chats began."""
        return self.scope_id if self.scope == "direction" else self.began


@dataclass(frozen=True)
class Freshness:
    """How far the data goes."""

    data_through: datetime | None
    refreshed_at: datetime | None
    first_date: date | None
    last_date: date | None


@dataclass(frozen=True)
class Kpi:
    """One number of the period beside that of the period before.

    `count` is what the value is made of; `better` says which way is good, None where neither is.
    Sums are not comparable where one of the periods is not whole.
    """

    metric: str
    unit: Unit
    better: Literal["higher", "lower"] | None
    value: float | None
    count: int
    previous: float | None
    is_comparable: bool = True

    @property
    def change(self) -> float | None:
        """Against the period before: of shares the difference, of all else in parts of it. None where unknown."""
        if self.value is None or self.previous is None or not self.is_comparable:
            return None
        if self.unit == "share":
            return self.value - self.previous
        return (self.value - self.previous) / self.previous if self.previous else None

    @property
    def verdict(self) -> Literal["better", "worse", "same"] | None:
        """Whether the change is for the better; None where unknown, or where neither way is good."""
        change = self.change
        if change is None or self.better is None:
            return None
        if change == 0:
            return "same"
        return "better" if (change > 0) == (self.better == "higher") else "worse"


@dataclass(frozen=True)
class HeatmapCell:
    """First responses of one weekday (0 = Sunday) × hour, by the chats' local creation.

    `band` compares the mean with those of the other cells. `has_enough_chats` says whether the chats are so many that
    the cell may be called fast or slow.
    """

    day_of_week: int
    hour: int
    chat_count: int
    mean_seconds: float | None
    p50_seconds: float | None
    band: Band
    has_enough_chats: bool = True


@dataclass(frozen=True)
class Waited:
    """A chat that one can look up in B2Chat, and how long its customer waited (None: waits still)."""

    chat_id: str
    agent_name: str | None
    department_name: str | None
    created_at: datetime | None
    seconds: float | None


@dataclass(frozen=True)
class Slot:
    """One of the slowest slots of those with enough chats, and its slowest chats."""

    cell: HeatmapCell
    chats: tuple[Waited, ...]


@dataclass(frozen=True)
class Population:
    """Chats that began in one way; they stand apart from those that the report is about."""

    direction: Direction
    chat_count: int
    previous_chat_count: int | None


@dataclass(frozen=True)
class TrafficCell:
    """Chats created, and messages written, at one weekday (0 = Sunday) × hour; in an analysis no messages."""

    day_of_week: int
    hour: int
    chat_count: int
    message_count: int | None


@dataclass(frozen=True)
class ResponseTimes:
    """How one time (pickup, first_response, reply, handling, resolution) is spread, by wall clock or business time."""

    metric: str
    clock: Clock
    count: int
    mean_seconds: float | None
    p50_seconds: float | None
    p90_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None
    under_1m_count: int
    from_1m_to_3m_count: int
    from_3m_to_5m_count: int
    from_5m_to_10m_count: int
    over_10m_count: int
    previous_count: int
    previous_p50_seconds: float | None
    previous_p90_seconds: float | None

    @property
    def buckets(self) -> tuple[int, ...]:
        """The counts in the order of `BUCKETS`."""
        return tuple(getattr(self, f"{bucket}_count") for bucket in BUCKETS)


@dataclass(frozen=True)
class TrendPoint:
    """A day, week or month: chats created, first responses by wall clock, and the overall SLA by wall clock.

    `is_whole` is false where the data does not cover all its days.
    """

    start: date
    chat_count: int | None
    first_response_count: int
    first_response_p50_seconds: float | None
    first_response_p90_seconds: float | None
    sla_judged_count: int
    sla_rate: float | None
    is_whole: bool = True


@dataclass(frozen=True)
class Sla:
    """The state of one target over the chats opened in the period; `overall` is all of them together."""

    metric: str
    clock: Clock
    target_seconds: int | None
    goal: float | None
    met_count: int
    breached_count: int
    pending_count: int
    rate: float | None
    previous_rate: float | None
    open_breached_count: int = 0


@dataclass(frozen=True)
class Member:
    """What an agent, a department or a channel did; times by wall clock.

    `closed_count` counts what was closed in the period (None in an analysis). `message_count` (what was sent),
    concurrency and `other_chat_count` (chats that the report is not about) are of chats of every kind; concurrency and
    quality (1 to 10, as categorized) are of agents alone.
    """

    id: str
    name: str
    chat_count: int
    closed_count: int | None
    message_count: int
    first_response_count: int
    first_response_p50_seconds: float | None
    first_response_p90_seconds: float | None
    reply_count: int
    reply_p50_seconds: float | None
    resolution_count: int
    resolution_p50_seconds: float | None
    sla_judged_count: int
    sla_rate: float | None
    mean_concurrent_chats: float | None
    quality_count: int
    mean_quality: float | None
    other_chat_count: int = 0
    sla_goal: float | None = None
    open_breached_count: int = 0


@dataclass(frozen=True)
class Intent:
    """What customers wanted, beside the period before, and how soon they heard from us."""

    label: str
    count: int
    share: float
    previous_count: int
    previous_share: float | None
    first_response_count: int
    first_response_p50_seconds: float | None


@dataclass(frozen=True)
class Share:
    """How many of a whole carry a label; `label` None means that none applies."""

    label: str | None
    count: int
    share: float


@dataclass(frozen=True)
class Insights:
    """What the period's chats are about, and who says so: rules, a language model, a fake for trying, or a person.

    A person's label stands before a machine's. The counts are chats. An analysis does not say how many of its chats
    need a review, and leaves chats to which no label of a kind applies out of that kind's shares.

    Of the chats that nobody has categorized, `waiting_count` wait for the language model, and `unanswered_count` it
    refused or gave no answer to.
    """

    chat_count: int
    categorized_count: int
    by_rules_count: int
    by_model_count: int
    needs_review_count: int | None
    intents: tuple[Share, ...]
    journeys: tuple[Share, ...]
    sentiments: tuple[Share, ...]
    quality_count: int
    mean_quality: float | None
    by_stand_in_count: int = 0
    by_people_count: int = 0
    waiting_count: int = 0
    unanswered_count: int = 0


@dataclass(frozen=True)
class Backlog:
    """Chats open at the midnight that begins a day, and how many of them waited; None where that is not known."""

    day: date
    open_count: int | None
    waiting_for_pickup_count: int | None
    waiting_for_answer_count: int | None
    over_1d_count: int | None
    over_7d_count: int | None


@dataclass(frozen=True)
class QualityRule:
    """A rule that records broke: how many, of how many looked at. `label_*` say what it is."""

    subject: str
    rule: str
    severity: str
    label_es: str
    label_en: str
    broken_count: int
    checked_count: int


@dataclass(frozen=True)
class Coverage:
    """How much of the period was read from B2Chat, and what could not be taken.

    `days_read_whole` counts the days of the period that a sync read to the end after they were over or as far as
    they had come; quarantine is what waits now for a fix, whenever it came.
    """

    day_count: int
    days_read_whole: int
    failed_syncs: int
    quarantined_count: int
    rules: tuple[QualityRule, ...]


@dataclass(frozen=True)
class TableGrowth:
    """A table of the warehouse that comes to a number of rows, and when, as the nightly audit projects it."""

    schema_name: str
    table_name: str
    row_count: int
    daily_row_growth: float
    threshold_row_count: int
    reached_date: date


@dataclass(frozen=True)
class Analysis:
    """What a customer analysis was asked for, by whom, and how it went.

    Filters combine with AND, and an empty one lets all pass. Of `chat_in_filter_count` chats the share `sample_rate`
    was chosen; some of these were skipped, or are still pending.
    """

    id: str
    status: str
    triggered_by: str
    agent_names: tuple[str, ...]
    department_names: tuple[str, ...]
    contact_count: int
    sample_rate: float
    classifier_version: str | None
    chat_in_filter_count: int
    skipped_count: int
    pending_count: int
    completed_at: datetime | None


@dataclass(frozen=True)
class ReportData:
    """A whole report.

    `agents`, `departments` and `channels` hold all of them for the scope `all`, those of a source for the scope
    `source`, the one member for its own scope, and are empty else. `is_complete` says whether the data goes to the end
    of the period, `is_previous_complete` whether it
    reaches back to the beginning of the period before. A direction has no backlog and no traffic; an analysis, which
    `analysis` is about, has no backlog, no history, no business times and nothing before it. `is_demo` says that the
    data is made up.

    All is about chats that customers began (`incoming`, converted ones too), for the scope `direction` about those of
    it; where it is about others, a text beside it says so. `others` are the chats left out, by how they began. Backlog
    and messages are of all chats. `service` tells what became of the chats: surveys, bot, transfers, reopenings.
    `slot_min_chat_count` is how many answered chats a slot needs to be compared, None where no chat was ever answered;
    `slots` are the slowest of those. `has_default_targets` says that nobody
    has set the targets yet. `growth` is what comes of the warehouse's tables, the soonest first: for all, and a source.
    `rooms` is what chat rooms came to, for all, and a source; None where no room has ever landed.
    """

    period: Period
    filter: Filter
    timezone: str
    freshness: Freshness
    is_complete: bool
    is_previous_complete: bool
    summary: tuple[Kpi, ...]
    heatmap: tuple[HeatmapCell, ...]
    slot_min_chat_count: int | None
    response_times: tuple[ResponseTimes, ...]
    days: tuple[TrendPoint, ...]
    history: tuple[TrendPoint, ...]
    sla: tuple[Sla, ...]
    agents: tuple[Member, ...]
    departments: tuple[Member, ...]
    channels: tuple[Member, ...]
    insights: Insights
    traffic: tuple[TrafficCell, ...]
    backlog: tuple[Backlog, ...]
    coverage: Coverage
    analysis: Analysis | None = None
    is_demo: bool = False
    others: tuple[Population, ...] = ()
    slots: tuple[Slot, ...] = ()
    open_breaches: tuple[Waited, ...] = ()
    open_breached_count: int = 0
    service: tuple[Kpi, ...] = ()
    intents: tuple[Intent, ...] = ()
    has_default_targets: bool = False
    growth: tuple[TableGrowth, ...] = ()
    rooms: Rooms | None = None

    @property
    def direction(self) -> str | None:
        """How the chats began; None for an analysis, which has filters of its own."""
        return None if self.analysis else self.filter.direction

    @property
    def chat_count(self) -> int:
        """Chats created in the period, or analysed: the first KPI."""
        return int(self.summary[0].value or 0)
