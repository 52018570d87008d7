"""Of a report's view model: escalations of chat rooms, and robots. The dashboard shows the same, in the same words."""

from collections.abc import Callable, Sequence

from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.kpis import Better, Unit
from dagster_project.exports.report.data.rooms import Escalations, OverdueMonth, Robot, Rooms
from dagster_project.exports.report.phrases import shortened
from dagster_project.exports.report.view import parts
from dagster_project.exports.report.view.charts import ViewModel


def escalations(rooms: Rooms | None, say: Wording, timezone: str) -> ViewModel | None:
    """What was escalated, what customers waited at the borders, and what is open; None where there was nothing."""
    if not rooms or not (rooms.all_escalations or rooms.open_steps or rooms.people):
        return None
    return {
        "title": say.text("section.escalations"),
        "caption": say.text("rooms.escalations.caption"),
        "tiles": _escalation_tiles(rooms, say),
        "findings": [],
        "charts": [],
        "heatmaps": [],
        "tables": parts.filled(
            _levels(rooms, say), _paths(rooms, say), _open_steps(rooms, say, timezone), _people(rooms, say)
        ),
    }


def robots(rooms: Rooms | None, say: Wording) -> ViewModel | None:
    """What robots did, compared by what stayed contained and by what their hand-overs waited; None without robots."""
    if not rooms or not rooms.each_robot:
        return None
    return {
        "title": say.text("section.robots"),
        "caption": say.text("rooms.robots.caption"),
        "tiles": _robot_tiles(rooms, say),
        "findings": list(_compared(rooms.each_robot, say)),
        "charts": [],
        "heatmaps": [],
        "tables": [_outcomes(rooms.each_robot, say), _answers(rooms.each_robot, say)],
    }


def overdue(months: Sequence[OverdueMonth], say: Wording, timezone: str) -> ViewModel | None:
    """The months that are overdue for the archive; None where none is."""
    if not months:
        return None
    heads = ("table", "month", "rows", "due", "state")
    return {
        "title": say.text("rooms.overdue"),
        "columns": [say.text(f"rooms.head.{head}") for head in heads],
        "rows": [
            [
                month.table_name,
                say.month(month.month_start),
                parts.NONE if month.row_count is None else say.number(month.row_count),
                say.instant(month.due_at, timezone),
                month.state or parts.NONE,
            ]
            for month in months
        ],
        "caption": say.text("rooms.overdue.caption"),
    }


def _escalation_tiles(rooms: Rooms, say: Wording) -> list[ViewModel]:
    now, before = rooms.all_escalations, rooms.escalations_before

    def tile(
        name: str, unit: Unit, better: Better, value: Callable[[Escalations], float | None], made_of: str
    ) -> ViewModel:
        return _tile(name, unit, better, value(now) if now else None, value(before) if before else None, made_of, say)

    escalated, opened, ended, waited = (
        say.number((getattr(now, name) if now else None) or 0)
        for name in ("escalated_room_count", "room_count", "finished_room_count", "handover_count")
    )
    return [
        tile(
            "escalation_rate",
            "share",
            "lower",
            lambda one: one.escalation_rate,
            say.text("rooms.n.of", count=escalated, all=opened),
        ),
        tile(
            "first_level_resolution_rate",
            "share",
            "higher",
            lambda one: one.first_level_resolution_rate,
            say.text("n", count=ended),
        ),
        tile("handover_p50", "seconds", "lower", lambda one: one.p50_handover_seconds, say.text("n", count=waited)),
        tile("handover_p90", "seconds", "lower", lambda one: one.p90_handover_seconds, say.text("n", count=waited)),
    ]


def _robot_tiles(rooms: Rooms, say: Wording) -> list[ViewModel]:
    now, before = rooms.all_robots, rooms.robots_before

    def tile(name: str, unit: Unit, better: Better, value: Callable[[Robot], float | None], count: int) -> ViewModel:
        made_of = say.text("n", count=say.number(count))
        return _tile(name, unit, better, value(now) if now else None, value(before) if before else None, made_of, say)

    left = now.room_count - now.open_count if now else 0
    judged = now.durable_judged_count if now else 0
    waited = now.handover_wait_count if now else 0
    asked = now.interaction_count if now else 0
    return [
        tile("containment_rate", "share", "higher", lambda robot: robot.containment_rate, left),
        tile("durable_rate", "share", "higher", lambda robot: robot.durable_rate, judged),
        tile("handover_wait_p90", "seconds", "lower", lambda robot: robot.p90_handover_wait_seconds, waited),
        tile("success_rate", "share", "higher", lambda robot: robot.success_rate, asked),
    ]


def _tile(
    name: str, unit: Unit, better: Better, value: float | None, previous: float | None, made_of: str, say: Wording
) -> ViewModel:
    return parts.tile(say.text(f"rooms.{name}"), unit, better, value, previous, made_of, say)


def _levels(rooms: Rooms, say: Wording) -> ViewModel:
    heads = ("level", "created", "open", "assign", "start", "handover", "handover_p90", "at_level")
    rows = [
        [
            say.label("level", one.scope_id),
            say.number(one.created_count),
            say.number(one.end_open_count),
            parts.time(one.p50_assign_seconds, say),
            parts.time(one.p50_start_seconds, say),
            parts.time(one.p50_handover_seconds, say),
            parts.time(one.p90_handover_seconds, say),
            parts.time(one.p50_level_seconds, say),
        ]
        for one in rooms.of_scope("level")
    ]
    return parts.table(
        "rooms", "levels", heads, [15, 15, 24, 24, 26, 24, 26], rows, say, caption=say.text("rooms.levels.caption")
    )


def _paths(rooms: Rooms, say: Wording) -> ViewModel:
    heads = ("path", "conversations", "open", "total", "border_share")
    rows = [
        [
            " → ".join(say.label("level", level) for level in path.path.split(">")),
            say.number(path.conversation_count),
            say.number(path.open_count),
            parts.time(path.p50_total_seconds, say),
            parts.share(path.handover_share, say),
        ]
        for path in rooms.paths
    ]
    return parts.table("rooms", "paths", heads, [26, 18, 30, 34], rows, say, caption=say.text("rooms.paths.caption"))


def _open_steps(rooms: Rooms, say: Wording, timezone: str) -> ViewModel:
    heads = ("conversation", "agent", "levels", "created_at", "at_level_now")
    rows = [
        [
            shortened(step.conversation_id, 44),
            shortened(step.agent_name or say.text("rooms.nobody"), 40),
            f"{say.label('level', step.from_level)} → {say.label('level', step.to_level)}",
            say.short_instant(step.created_at, timezone),
            parts.time(step.level_seconds, say),
        ]
        for step in rooms.open_steps
    ]
    return parts.table(
        "rooms", "open_steps", heads, [30, 34, 28, 25], rows, say, texts=3, caption=say.text("rooms.open_steps.caption")
    )


def _people(rooms: Rooms, say: Wording) -> ViewModel:
    heads = ("person", "peak", "messages", "turns")
    rows = [
        [
            shortened(person.participant_name),
            say.number(person.peak_room_count),
            say.number(person.message_count),
            say.number(person.answered_turn_count),
        ]
        for person in rooms.people
    ]
    return parts.table("rooms", "people", heads, [34, 26, 32], rows, say)


def _outcomes(robots: Sequence[Robot], say: Wording) -> ViewModel:
    heads = ("robot", "conversations", "contained", "durable", "handed_over", "lapsed", "wait", "wait_p90")
    rows = [
        [
            shortened(robot.robot_id, 30),
            say.number(robot.room_count),
            parts.share(robot.containment_rate, say),
            parts.share(robot.durable_rate, say),
            parts.share(robot.handover_rate, say),
            parts.share(robot.lapse_rate, say),
            parts.time(robot.p50_handover_wait_seconds, say),
            parts.time(robot.p90_handover_wait_seconds, say),
        ]
        for robot in robots
    ]
    return parts.table(
        "rooms", "outcomes", heads, [14, 22, 24, 24, 20, 22, 20], rows, say, caption=say.text("rooms.outcomes.caption")
    )


def _answers(robots: Sequence[Robot], say: Wording) -> ViewModel:
    heads = ("robot", "asked", "success", "timed_out", "answer", "answer_p90")
    rows = [
        [
            shortened(robot.robot_id, 30),
            say.number(robot.interaction_count),
            parts.share(robot.success_rate, say),
            say.number(robot.timed_out_count),
            _seconds(robot.p50_answer_seconds, say),
            _seconds(robot.p90_answer_seconds, say),
        ]
        for robot in robots
    ]
    return parts.table("rooms", "answers", heads, [22, 24, 26, 26, 24], rows, say)


def _compared(robots: Sequence[Robot], say: Wording) -> list[str]:
    """The best and the worst of several robots, by what stayed contained and by what hand-overs waited."""
    told = []
    durable = sorted(
        (robot for robot in robots if robot.durable_rate is not None), key=lambda one: -(one.durable_rate or 0)
    )
    if len(durable) > 1:
        best, worst = durable[0], durable[-1]
        told.append(
            say.text(
                "rooms.compared.durable",
                best=shortened(best.robot_id, 30),
                best_rate=say.percent(best.durable_rate, 0),
                best_count=say.number(best.durable_judged_count),
                worst=shortened(worst.robot_id, 30),
                worst_rate=say.percent(worst.durable_rate, 0),
                worst_count=say.number(worst.durable_judged_count),
            )
        )
    waited = sorted(
        (robot for robot in robots if robot.p90_handover_wait_seconds is not None),
        key=lambda one: one.p90_handover_wait_seconds or 0,
    )
    if len(waited) > 1:
        best, worst = waited[0], waited[-1]
        told.append(
            say.text(
                "rooms.compared.wait",
                best=shortened(best.robot_id, 30),
                best_wait=say.duration(best.p90_handover_wait_seconds),
                worst=shortened(worst.robot_id, 30),
                worst_wait=say.duration(worst.p90_handover_wait_seconds),
            )
        )
    return told


def _seconds(seconds: float | None, say: Wording) -> str:
    """A robot's answer takes seconds, and parts of them matter."""
    if seconds is None:
        return parts.NONE
    return say.duration(seconds) if seconds >= 60 else f"{say.number(seconds, 1)}\u00a0s"
