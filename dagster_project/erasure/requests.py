"""Who is to be forgotten (ops.erasure_requests): the clear id is there for as long as the work lasts, and nowhere else.

No run's config, log or process list ever holds it.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dagster_project.erasure.person import MARK
from dagster_project.warehouse.access import audit_log

State = Literal["requested", "erased", "stored", "done"]


@dataclass(frozen=True)
class Request:
    """A row of ops.erasure_requests.

    Attributes:
        token: stands in the contact's place.
        contact_id, searched: who it is, and by which texts; None once it is done.
        counts: by place, how many rows or files went so far.
    """

    id: int
    token: str
    contact_id: str | None
    searched: Sequence[str] | None
    state: State
    requested_by: str
    counts: Mapping[str, int]


def ask(conn: psycopg.Connection, contact_id: str, requested_by: str, token: str | None = None) -> Request:
    """Write down that somebody is to be forgotten; a request of the same that is not done is gone on with."""
    with conn.cursor(row_factory=class_row(Request)) as cursor:
        cursor.execute(
            """
            insert into ops.erasure_requests as known (token, contact_id, requested_by) values (%s, %s, %s)
            on conflict (contact_id) do update set requested_by = known.requested_by
            returning id, token, contact_id, searched, state, requested_by, counts
            """,
            [token or MARK + secrets.token_hex(8), contact_id, requested_by],
        )
        found = cursor.fetchone()
        assert found is not None
    audit_log.record(conn, "erasure.start", resource="erasure", resource_id=found.token, user=requested_by)
    return found


def unfinished(conn: psycopg.Connection) -> list[Request]:
    """The requests that are not done, oldest first."""
    return _read(conn, "state <> 'done' order by id")


def is_open(conn: psycopg.Connection, contact_id: str) -> bool:
    """Whether somebody is being forgotten."""
    return bool(_read(conn, "contact_id = %s", contact_id))


def of_id(conn: psycopg.Connection, request_id: int) -> Request:
    """A request as it is now."""
    return _read(conn, "id = %s", request_id)[0]


def move_on(
    conn: psycopg.Connection,
    request: Request,
    state: State,
    counts: Mapping[str, int],
    searched: Sequence[str] | None = None,
) -> None:
    """Write down how far a request is, and what went meanwhile; the person's texts until it is done."""
    conn.execute(
        """
        update ops.erasure_requests set state = %(state)s, counts = counts || %(counts)s,
            erased_at = case %(state)s when 'erased' then now() else erased_at end,
            done_at = case %(state)s when 'done' then now() end,
            contact_id = case when %(state)s <> 'done' then contact_id end,
            searched = case when %(state)s <> 'done' then coalesce(%(searched)s, searched) end
        where id = %(id)s
        """,
        {
            "id": request.id,
            "state": state,
            "counts": Jsonb(dict(counts)),
            "searched": Jsonb(list(searched)) if searched is not None else None,
        },
    )


def count(conn: psycopg.Connection, token: str, **counts: int) -> None:
    """Add to what went, in the transaction that made it go."""
    for place, number in counts.items():
        conn.execute(
            """
            update ops.erasure_requests set counts = jsonb_set(
                counts, array[%(place)s], to_jsonb(coalesce((counts ->> %(place)s)::bigint, 0) + %(number)s))
            where token = %(token)s
            """,
            {"place": place.replace("_", " "), "number": number, "token": token},
        )


def _read(conn: psycopg.Connection, condition: str, *values: object) -> list[Request]:
    columns = "id, token, contact_id, searched, state, requested_by, counts"
    query = f"select {columns} from ops.erasure_requests where {condition}"  # noqa: S608
    with conn.cursor(row_factory=class_row(Request)) as cursor:
        return cursor.execute(query, values).fetchall()
