"""What a report says of chat rooms, as plain numbers: escalations across levels of support, robots, who is where.

No data is None beside a count of 0. Durations are in seconds, rates and shares from 0 to 1.
"""

from dataclasses import dataclass
from datetime import date, datetime

EVERYTHING = "all"  # the member of a breakdown that is all of them


@dataclass(frozen=True)
class Escalations:
    """Escalations of a period: of all, of a level that was entered, of an agent or a priority.

    Times are of those created in the period; `level` is the time in the level entered, of those that have ended. What
    is of conversations is known for all alone: how many were opened to people, and where they ended.
    """

    scope: str
    scope_id: str
    scope_name: str
    created_count: int
    resolved_count: int
    cancelled_count: int
    end_open_count: int
    assign_count: int
    p50_assign_seconds: float | None
    start_count: int
    p50_start_seconds: float | None
    handover_count: int
    p50_handover_seconds: float | None
    p90_handover_seconds: float | None
    p50_handover_business_seconds: float | None
    level_count: int
    p50_level_seconds: float | None
    p90_level_seconds: float | None
    room_count: int | None
    escalated_room_count: int | None
    escalation_rate: float | None
    finished_room_count: int | None
    first_level_resolution_rate: float | None


@dataclass(frozen=True)
class Path:
    """A way through the levels: how many conversations went it, how long, and which part was waiting at a border."""

    path: str
    conversation_count: int
    open_count: int
    total_count: int
    p50_total_seconds: float | None
    handover_share: float | None


@dataclass(frozen=True)
class OpenStep:
    """An escalation that is open as of the newest load, and how long its customer has been at that level."""

    conversation_id: str
    from_level: str | None
    to_level: str | None
    priority: int | None
    agent_name: str | None
    created_at: datetime
    answered_at: datetime | None
    level_seconds: int | None


@dataclass(frozen=True)
class Robot:
    """A robot: what it answered, what became of the conversations in which it spoke first, what hand-overs waited.

    `durable_rate` is of those that it contained and of which a week has passed.
    """

    robot_id: str
    interaction_count: int
    timed_out_count: int
    success_rate: float | None
    answer_count: int
    p50_answer_seconds: float | None
    p90_answer_seconds: float | None
    room_count: int
    handed_over_count: int
    contained_count: int
    lapsed_count: int
    open_count: int
    handover_rate: float | None
    containment_rate: float | None
    lapse_rate: float | None
    durable_judged_count: int
    durable_rate: float | None
    handover_wait_count: int
    p50_handover_wait_seconds: float | None
    p90_handover_wait_seconds: float | None


@dataclass(frozen=True)
class Person:
    """Somebody who works in rooms: most rooms at once, messages and turns answered in the period."""

    participant_id: str
    participant_name: str
    peak_room_count: int
    message_count: int
    answered_turn_count: int


@dataclass(frozen=True)
class OverdueMonth:
    """A month of a table that should have been in an archive for more than a week, as of the newest load."""

    table_name: str
    month_start: date
    state: str | None
    row_count: int | None
    due_at: datetime


@dataclass(frozen=True)
class Rooms:
    """A period of chat rooms, beside the period before.

    `escalations` and `robots` hold the member `all` first. What is open, and what is overdue, is so as of the newest
    load, whatever the period.
    """

    escalations: tuple[Escalations, ...]
    escalations_before: Escalations | None
    paths: tuple[Path, ...]
    open_steps: tuple[OpenStep, ...]
    robots: tuple[Robot, ...]
    robots_before: Robot | None
    people: tuple[Person, ...]
    overdue_months: tuple[OverdueMonth, ...]

    @property
    def all_escalations(self) -> Escalations | None:
        """Those of the whole period; None where there was no conversation in a room."""
        return next((one for one in self.escalations if one.scope == EVERYTHING), None)

    @property
    def all_robots(self) -> Robot | None:
        """All robots together; None where none had anything to do."""
        return next((robot for robot in self.robots if robot.robot_id == EVERYTHING), None)

    def of_scope(self, scope: str) -> tuple[Escalations, ...]:
        """The escalations by level, agent or priority."""
        return tuple(one for one in self.escalations if one.scope == scope)

    @property
    def each_robot(self) -> tuple[Robot, ...]:
        """The robots, each by itself."""
        return tuple(robot for robot in self.robots if robot.robot_id != EVERYTHING)
