"""The tables that can be asked for by days and members: what a row is, what they read, what they can be filtered by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import sql

from dagster_project.exports.export_log import Kind
from dagster_project.exports.i18n.language import Language
from dagster_project.exports.tables import calls, conversations, definitions
from dagster_project.exports.tables.definitions import Filters, NothingToExport, Table
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
    """A table: what a row is, the marts that it reads, what it is filtered by, and the source that it needs."""

    row: str
    marts: tuple[str, ...]
    by: tuple[By, ...]
    make: Callable[[psycopg.Connection, Filters, Language], Table]
    source: Source | None = None


TABLES: dict[Kind, Export] = {
    "chats": Export(
        "A row per chat: times, filters, and what it was categorized as, with who categorized it.",
        ("chat_response_times", "chat_categories"),
        ("days", "agents", "departments", "channels"),
        definitions.chats,
    ),
    "agents": Export(
        "A row per agent and day.",
        ("agent_daily",),
        ("days", "agents"),
        lambda conn, filters, _: definitions.agents(conn, filters),
    ),
    "kpis": Export(
        "A row per metric, day and scope: metric_type, metric_name, value, agent_id, department_id, category and more.",
        ("kpi_daily",),
        ("days", "agents", "departments", "channels"),
        lambda conn, filters, _: definitions.kpis(conn, filters),
    ),
    "conversations": Export(
        "A row per conversation of every source: chats, rooms, calls; what a source has not is empty.",
        ("conversations",),
        ("days", "agents", "departments", "channels"),
        lambda conn, filters, _: conversations.conversations(conn, filters),
    ),
    "rooms": Export(
        "A row per conversation in chat rooms: times, and its way through the levels of support.",
        ("room_response_times", "escalation_paths"),
        ("days", "agents", "departments"),
        lambda conn, filters, _: conversations.rooms(conn, filters),
        ROOMS,
    ),
    "escalations": Export(
        "A row per escalation of a chat room: who waited at the border between two levels, and how long.",
        ("escalation_steps",),
        ("days", "agents"),
        lambda conn, filters, _: conversations.escalations(conn, filters),
        ROOMS,
    ),
    "calls": Export(
        "A row per call of a website: its outcome, its times, whom it rang; departments are pools.",
        ("call_times",),
        ("days", "agents", "departments"),
        lambda conn, filters, _: calls.calls(conn, filters),
        CALLS,
    ),
    "visits": Export(
        "A row per visit of a website, and how far it came: pageview, popup, call, answer, end.",
        ("visits",),
        ("days", "departments"),
        lambda conn, filters, _: calls.visits(conn, filters),
        VISITS,
    ),
    "funnel": Export(
        "A row per day and scope (all, site, pool, country): visits that came to each step of the funnel.",
        ("funnel_daily",),
        ("days", "departments"),
        lambda conn, filters, _: calls.funnel(conn, filters),
        VISITS,
    ),
    "coverage": Export(
        "A row per hour and scope (all, organization, pool): who was there, and what was asked for when nobody was.",
        ("coverage_hourly",),
        ("days", "departments"),
        lambda conn, filters, _: calls.coverage(conn, filters),
        VISITS,
    ),
    "staffing": Export(
        "A row per pool, weekday and hour: the agents that its calls need, beside those there were in eight weeks.",
        ("staffing_need",),
        ("departments",),
        lambda conn, filters, _: calls.staffing(conn, filters),
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
