"""The tables that can be asked for by days and members: what a row is, what they read, what they can be filtered by."""

from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import sql

from dagster_project.exports.export_log import Kind
from dagster_project.exports.i18n.language import Language
from dagster_project.exports.tables import statements
from dagster_project.exports.tables.mart_rows import rows_of
from dagster_project.exports.tables.table import Filters, Make, NothingToExport, Table
from dagster_project.warehouse.connection import has_relation

By = Literal["days", "agents", "departments", "channels"]


@dataclass(frozen=True)
class Source:
    """A source that a table is about alone: a mart with rows once something landed, and what to say until then."""

    mart: str
    absent: str


ROOMS = Source("room_response_times", "no conversation in a room has landed: ROOMS_DATABASE_URL says where they are")
CALLS = Source("call_times", "no call has landed: CALLS_DATABASE_URL says where they are")
VISITS = Source("visits", "no visit of a website has landed: CALLS_DATABASE_URL says where they are")


@dataclass(frozen=True)
class Export:
    """A table: what a row is, the marts that it reads, what filters it, what makes it, and the source that it needs."""

    row: str
    marts: tuple[str, ...]
    by: tuple[By, ...]
    make: Make
    source: Source | None = None


TABLES: dict[Kind, Export] = {
    "chats": Export(
        "A row per chat: times, filters, and what it was categorized as, with who categorized it.",
        ("chat_response_times", "chat_categories"),
        ("days", "agents", "departments", "channels"),
        statements.chats,
    ),
    "agents": Export(
        "A row per agent and day.",
        ("agent_daily",),
        ("days", "agents"),
        rows_of("agent_daily", name="agents", order=("local_date", "agent_id")),
    ),
    "kpis": Export(
        "A row per metric, day and scope: metric_type, metric_name, value, agent_id, department_id, category and more.",
        ("kpi_daily",),
        ("days", "agents", "departments", "channels"),
        statements.kpis,
    ),
    "conversations": Export(
        "A row per conversation of every source: chats, rooms, calls; what a source has not is empty.",
        ("conversations",),
        ("days", "agents", "departments", "channels"),
        rows_of(
            "conversations",
            day="created_local_date",
            departments="team_id",
            where="not is_deleted",
            without="is_deleted",
            order=("created_at", "conversation_id"),
        ),
    ),
    "rooms": Export(
        "A row per conversation in chat rooms: times, and its way through the levels of support.",
        ("room_response_times", "escalation_paths"),
        ("days", "agents", "departments"),
        statements.rooms,
        ROOMS,
    ),
    "escalations": Export(
        "A row per escalation of a chat room: who waited at the border between two levels, and how long.",
        ("escalation_steps",),
        ("days", "agents"),
        rows_of(
            "escalation_steps",
            name="escalations",
            day="created_local_date",
            order=("created_at", "conversation_id", "step_number"),
        ),
        ROOMS,
    ),
    "calls": Export(
        "A row per call of a website: its outcome, its times, whom it rang; departments are pools.",
        ("call_times",),
        ("days", "agents", "departments"),
        rows_of(
            "call_times",
            name="calls",
            day="created_local_date",
            departments="pool_id",
            where="not is_deleted",
            order=("created_at", "call_id"),
        ),
        CALLS,
    ),
    "visits": Export(
        "A row per visit of a website, and how far it came: pageview, popup, call, answer, end.",
        ("visits",),
        ("days", "departments"),
        rows_of("visits", departments="pool_id", order=("started_at", "visit_id")),
        VISITS,
    ),
    "funnel": Export(
        "A row per day and scope (all, site, pool, country): visits that came to each step of the funnel.",
        ("funnel_daily",),
        ("days", "departments"),
        rows_of(
            "funnel_daily",
            name="funnel",
            departments="scope_id",
            scope="pool",
            order=("local_date", "scope", "scope_id"),
        ),
        VISITS,
    ),
    "coverage": Export(
        "A row per hour and scope (all, organization, pool): who was there, and what was asked for when nobody was.",
        ("coverage_hourly",),
        ("days", "departments"),
        rows_of(
            "coverage_hourly",
            name="coverage",
            departments="scope_id",
            scope="pool",
            order=("local_date", "hour", "scope", "scope_id"),
        ),
        VISITS,
    ),
    "staffing": Export(
        "A row per pool, weekday and hour: the agents that its calls need, beside those there were in eight weeks.",
        ("staffing_need",),
        ("departments",),
        rows_of(
            "staffing_need",
            name="staffing",
            day=None,
            departments="pool_id",
            order=("pool_name", "pool_id", "day_of_week", "hour"),
        ),
        CALLS,
    ),
}


def table(conn: psycopg.Connection, kind: Kind, filters: Filters, language: Language) -> Table:
    """A table by its kind.

    Raises:
        NothingToExport: the marts are not built, or its source has not landed.
    """
    if why := absent(conn, kind):
        raise NothingToExport(why)
    return TABLES[kind].make(conn, filters, language)


def not_known(kind: Kind, filters: Filters) -> list[By]:
    """By what a table is asked to be filtered, and cannot be."""
    asked: dict[By, object] = {
        "days": filters.first or filters.last,
        "agents": filters.agents,
        "departments": filters.departments,
        "channels": filters.channels,
    }
    return [by for by, value in asked.items() if value and by not in TABLES[kind].by] if kind in TABLES else []


def absent(conn: psycopg.Connection, kind: Kind) -> str | None:
    """What to say where nothing of the source that a table is about has ever landed; None where something has."""
    source = TABLES[kind].source
    if source is None or not has_relation(conn, f"marts.{source.mart}"):
        return None  # or, of marts that are not built, what the table itself says
    found = conn.execute(sql.SQL("select from {} limit 1").format(sql.Identifier("marts", source.mart))).fetchone()
    return source.absent if found is None else None
