"""What every page knows of the account: who there is to filter by, which weeks there are, how fresh it all is."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from dagster_project.exports.queries import select
from dagster_project.exports.report.data.about import Freshness, Scope
from dagster_project.exports.report.reading.account import freshness
from dagster_project.warehouse.connection import has_relation

_NEEDED = ("marts.scope_members", "marts.data_sources", "marts.kpis_by_direction", "marts.weekly_response_time_heatmap")


@dataclass(frozen=True)
class Member:
    """All, an agent, a department, a channel or a source, and what people call it.

    It has no times where its conversations come from several sources.
    """

    scope: Scope
    id: str
    name: str
    has_times: bool = True

    @property
    def key(self) -> str:
        """How a link names it."""
        return "all" if self.scope == "all" else f"{self.scope}:{self.id}"


ALL = Member("all", "all", "all")


@dataclass(frozen=True)
class Account:
    """The account as the marts know it; `first_week` and `last_week` are Mondays, None where there are no chats."""

    freshness: Freshness
    members: tuple[Member, ...]
    is_demo: bool
    timezone: str
    first_week: date | None
    last_week: date | None
    last_full_week: date | None
    shown_by_default: Member = ALL

    @property
    def has_several_sources(self) -> bool:
        """Whether there is no time of all conversations."""
        return self.shown_by_default.scope != "all"

    def member(self, key: str) -> Member | None:
        """The member of a link; None where there is no such one."""
        return next((member for member in self.members if member.key == key), None)

    def of(self, scope: Scope) -> tuple[Member, ...]:
        """The members of a scope."""
        return tuple(member for member in self.members if member.scope == scope)


def account(connection: psycopg.Connection, timezone: str) -> Account | None:
    """The account; None where the marts are not built yet."""
    if not all(has_relation(connection, relation) for relation in _NEEDED):
        return None
    [span] = select(connection, _Weeks, "marts.data_span", {})
    sources = select(connection, _Source, "marts.data_sources", {})
    members = _members(connection, {})
    shown = _members(connection, {"is_default": True})
    return Account(
        freshness(connection),
        (
            *(member for member in members if member.scope == "all"),
            *(member for member in members if member.scope != "all"),
        ),
        any(source.is_made_up for source in sources),
        timezone,
        span.first_week_start,
        span.last_week_start,
        span.last_full_week_start,
        shown[0] if shown else ALL,
    )


def _members(connection: psycopg.Connection, where: dict[str, Any]) -> list[Member]:
    return select(
        connection,
        Member,
        "marts.scope_members",
        where,
        order_by="scope, scope_name, scope_id",
        id="scope_id",
        name="scope_name",
    )


@dataclass(frozen=True)
class _Weeks:
    first_week_start: date | None
    last_week_start: date | None
    last_full_week_start: date | None


@dataclass(frozen=True)
class _Source:
    is_made_up: bool
