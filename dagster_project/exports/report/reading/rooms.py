"""Of a report: what only chat rooms have. Nothing is read, and nothing said, where no room has ever landed."""

from datetime import date

import psycopg

from dagster_project.exports.queries import select
from dagster_project.exports.report.data.rooms import (
    EVERYTHING,
    Escalations,
    OpenStep,
    OverdueMonth,
    Path,
    Person,
    Robot,
    Rooms,
)
from dagster_project.exports.report.period import Period
from dagster_project.warehouse.connection import has_relation

SOURCE = "rooms"
SHOWN = 10  # of paths, open escalations, people and months


def are_there(connection: psycopg.Connection) -> bool:
    """Whether a conversation in a room has ever landed."""
    if not has_relation(connection, "marts.escalations_by_period"):
        return False
    found = connection.execute("select from marts.chat_response_times where source = %s limit 1", [SOURCE])
    return found.fetchone() is not None


def rooms(connection: psycopg.Connection, period: Period) -> Rooms | None:
    """What chat rooms came to in a period; None where none has ever landed.

    Args:
        period: a week or a month.
    """
    if not are_there(connection):
        return None
    return Rooms(
        escalations=escalations(connection, period.kind, period.start),
        escalations_before=next(iter(_all_escalations(connection, period.kind, period.previous_start)), None),
        paths=tuple(
            select(
                connection,
                Path,
                "marts.escalation_paths_by_period",
                {"period": period.kind, "period_start": period.start},
                order_by="conversation_count desc, path",
                limit=SHOWN,
            )
        ),
        open_steps=tuple(
            select(
                connection,
                OpenStep,
                "marts.escalation_steps",
                {"is_open": True},
                order_by="created_at, conversation_id",
                limit=SHOWN,
            )
        ),
        robots=robots(connection, period.kind, period.start),
        robots_before=next(iter(_all_robots(connection, period.kind, period.previous_start)), None),
        people=tuple(
            select(
                connection,
                Person,
                "marts.participants_by_period",
                {
                    "period": period.kind,
                    "period_start": period.start,
                    "account_type": ["agent", "supervisor", "admin"],
                },
                order_by="peak_room_count desc, message_count desc, participant_name, participant_id",
                limit=SHOWN,
            )
        ),
        overdue_months=overdue_months(connection),
    )


def escalations(connection: psycopg.Connection, period: str, start: date) -> tuple[Escalations, ...]:
    """All of the period first, then levels, agents and priorities."""
    return tuple(
        select(
            connection,
            Escalations,
            "marts.escalations_by_period",
            {"period": period, "period_start": start},
            order_by="array_position(array['all', 'level', 'agent', 'priority'], scope), "
            "array_position(array['T1', 'T2', 'T3', 'manager'], scope_id), created_count desc, scope_name, scope_id",
        )
    )


def robots(connection: psycopg.Connection, period: str, start: date) -> tuple[Robot, ...]:
    """All of them first, then each, the busiest first."""
    return tuple(
        select(
            connection,
            Robot,
            "marts.robots_by_period",
            {"period": period, "period_start": start},
            order_by="robot_id <> 'all', room_count desc, interaction_count desc, robot_id",
        )
    )


def overdue_months(connection: psycopg.Connection) -> tuple[OverdueMonth, ...]:
    """The months that are overdue for the archive, the oldest first."""
    return tuple(
        select(
            connection,
            OverdueMonth,
            "marts.retention_status",
            {"is_overdue": True},
            order_by="due_at, table_name",
            limit=SHOWN,
        )
    )


def _all_escalations(connection: psycopg.Connection, period: str, start: date) -> list[Escalations]:
    where = {"period": period, "period_start": start, "scope": EVERYTHING, "scope_id": EVERYTHING}
    return select(connection, Escalations, "marts.escalations_by_period", where)


def _all_robots(connection: psycopg.Connection, period: str, start: date) -> list[Robot]:
    where = {"period": period, "period_start": start, "robot_id": EVERYTHING}
    return select(connection, Robot, "marts.robots_by_period", where)
