"""What somebody may ask of a customer analysis, and why not where he may not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql

from dagster_project.warehouse import directory

MAX_DAYS, MAX_AGENTS, MAX_DEPARTMENTS, MAX_CONTACTS = 90, 50, 20, 100
USUAL_DAYS = 30


class Refused(Exception):
    """The analysis cannot be made as it was asked for; the text says why, and nothing was stored."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which chats to analyse, and for whom. Filters combine with AND; an empty one lets all pass.

    Attributes:
        date_start: first local day of the chats' creation; None means 29 days before the last.
        date_end: last local day; None means the newest that has chats.
        triggered_by: who asks.
        sample_rate: share of the chats, above 0 and up to 1, chosen by the hash of their ids: always the same ones.
    """

    date_start: date | None
    date_end: date | None
    triggered_by: str
    agent_ids: Sequence[str] = ()
    department_ids: Sequence[str] = ()
    contact_ids: Sequence[str] = ()
    sample_rate: float = 1.0

    @property
    def filters(self) -> dict[str, Any]:
        """As `customer_analyses.filters` keeps them."""
        return {
            "date_start": str(self.date_start),
            "date_end": str(self.date_end),
            "agent_ids": list(self.agent_ids),
            "department_ids": list(self.department_ids),
            "contact_ids": list(self.contact_ids),
        }


def checked(conn: psycopg.Connection, request: Request) -> Request:
    """The request with its days filled in, names of agents and departments as ids, and each filter's values once.

    Raises:
        Refused: all that is wrong with it, in one text.
    """
    request = _with_days(
        conn,
        replace(
            request,
            triggered_by=request.triggered_by.strip(),
            agent_ids=_ids(conn, "agent", request.agent_ids),
            department_ids=_ids(conn, "department", request.department_ids),
            contact_ids=_each_once(request.contact_ids),
        ),
    )
    faults = [*_faults(request), *_unknown(conn, request)]
    if faults:
        raise Refused("; ".join(faults))
    return request


def _ids(conn: psycopg.Connection, kind: directory.Kind, wanted: Sequence[str]) -> tuple[str, ...]:
    """Ids for the names that mean one; what nobody is called stays, for `_unknown` to tell of."""
    try:
        known = directory.members(conn, kind) if wanted else []
        return _each_once([directory.match(known, kind, value) or value for value in _each_once(wanted)])
    except directory.NoSuchMember as error:
        raise Refused(str(error)) from None


def _each_once(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.strip() for value in values))


def _with_days(conn: psycopg.Connection, request: Request) -> Request:
    end = request.date_end
    if end is None:
        row = conn.execute(
            "select max(created_local_date) from intermediate.int_conversations where not is_deleted"
        ).fetchone()
        if row is None or row[0] is None:
            raise Refused("there are no chats yet")
        end = row[0]
    start = request.date_start or end - timedelta(days=USUAL_DAYS - 1)
    return replace(request, date_start=start, date_end=end)


def _faults(request: Request) -> list[str]:
    faults = []
    start, end = request.date_start, request.date_end
    assert start and end
    if end < start:
        faults.append(f"the last day, {end}, is before the first, {start}")
    days = (end - start).days + 1
    if days > MAX_DAYS:
        faults.append(f"{start} to {end} is {days} days: at most {MAX_DAYS}")
    for name, values, most in (
        ("agents", request.agent_ids, MAX_AGENTS),
        ("departments", request.department_ids, MAX_DEPARTMENTS),
        ("contacts", request.contact_ids, MAX_CONTACTS),
    ):
        if len(values) > most:
            faults.append(f"{len(values)} {name}: at most {most}")
        if "" in values:
            faults.append(f"one of the {name} is empty")
    if not request.triggered_by:
        faults.append("triggered_by is empty: say who asks")
    if not 0 < request.sample_rate <= 1:
        faults.append(f"sample_rate {request.sample_rate:g} is not above 0 and up to 1")
    return faults


def _unknown(conn: psycopg.Connection, request: Request) -> list[str]:
    faults = []
    filters: tuple[tuple[str, directory.Kind | None, Sequence[str]], ...] = (
        ("agents", "agent", request.agent_ids),
        ("departments", "department", request.department_ids),
        ("contacts", None, request.contact_ids),
    )
    for table, kind, values in filters:
        asked = [value for value in values if value]
        rows = conn.execute(
            sql.SQL("select id from {} where id = any(%s)").format(sql.Identifier("core", table)), [asked]
        )
        unknown = sorted(set(asked) - {row[0] for row in rows})
        if unknown:
            more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
            guess = directory.guess(directory.members(conn, kind), kind, unknown[0]) if kind else ""
            faults.append(f"unknown {table}: {', '.join(map(directory.shortened, unknown[:5]))}{more}{guess}")
    return faults
