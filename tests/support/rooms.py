"""The schema rooms as its application meets it: people of an organization, and calls in somebody's name."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from dagster_project.sources.rooms.tables import TABLES

ORGANIZATION = uuid.UUID(int=1)
OTHER_ORGANIZATION = uuid.UUID(int=2)


def add_organizations(conn: psycopg.Connection) -> None:
    conn.execute(
        "insert into rooms.organizations (id, name) values (%s, 'Ours'), (%s, 'Another')",
        [ORGANIZATION, OTHER_ORGANIZATION],
    )


def add_user(
    conn: psycopg.Connection, name: str, kind: str = "agent", organization: uuid.UUID = ORGANIZATION
) -> uuid.UUID:
    """A user of an account type, active."""
    row = conn.execute(
        "insert into rooms.users (username, first_name, last_name, email, password_hash, account_type_informal, "
        "current_account_status, organization_id) values (%(name)s, %(name)s, 'Test', %(name)s || '@example.com', 'x', "
        "%(kind)s, 'active', %(organization)s) returning id",
        {"name": name, "kind": kind, "organization": organization},
    ).fetchone()
    assert row is not None
    return uuid.UUID(str(row[0]))


def add_room(conn: psycopg.Connection, creator: uuid.UUID, **columns: Any) -> uuid.UUID:
    """A room with nobody in it."""
    values = {"creator_id": creator, "organization_id": ORGANIZATION, "root_room_id": creator, **columns}
    row = conn.execute(
        sql.SQL("insert into rooms.chat_rooms ({}) values ({}) returning id").format(
            sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(map(sql.Placeholder, values))
        ),
        values,
    ).fetchone()
    assert row is not None
    return uuid.UUID(str(row[0]))


def seat(
    conn: psycopg.Connection, room: uuid.UUID, person: uuid.UUID, role: str = "member", status: str = "active"
) -> None:
    """Somebody takes part in a room."""
    conn.execute(
        "insert into rooms.room_participants (room_id, user_id, role, status) values (%s, %s, %s, %s)",
        [room, person, role, status],
    )


@contextmanager
def acting(conn: psycopg.Connection, person: uuid.UUID | None, role: str = "rooms_app") -> Iterator[None]:
    """Calls of the application in somebody's name, in a transaction; as the owner again afterwards."""
    with conn.transaction():
        conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        if person:
            conn.execute("select set_config('rooms.user_id', %s, true)", [str(person)])
        yield
        conn.execute("reset role")
        conn.execute("select set_config('rooms.user_id', '', true)")


def call(conn: psycopg.Connection, function: str, *given: Any, **named: Any) -> Any:
    """What a function of rooms returns: its value, or its rows where it has several columns."""
    arguments = [sql.Placeholder()] * len(given) + [
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in named.items()
    ]
    cursor = conn.execute(
        sql.SQL("select * from rooms.{}({})").format(sql.Identifier(function), sql.SQL(", ").join(arguments)), given
    )
    rows = cursor.fetchall()
    return rows if len(cursor.description or []) > 1 else rows[0][0]


def contents(conn: psycopg.Connection) -> dict[str, list[str]]:
    """All rows of all tables and histories, without the transactions that wrote them."""
    found = {}
    for name, table in TABLES.items():
        for one in [name, *([table.history] if table.keeps_history else [])]:
            query = f"select to_jsonb(t) - 'row_xid' - 'transaction_id' from rooms.{one} as t"
            found[one] = sorted(json.dumps(row, sort_keys=True) for (row,) in conn.execute(query))  # type: ignore[arg-type]
    return found


def refuse_writes_past_functions(conn: psycopg.Connection) -> None:
    """From now on a statement that writes is refused, unless a role whose only way are functions has called one."""
    conn.execute(
        """
        create function rooms.refuse_write() returns trigger language plpgsql as $$
        begin
            if current_setting('role') not in ('rooms_app', 'rooms_system') then
                raise 'written past the functions: %', tg_relid::regclass;
            end if;
            return null;
        end $$
        """
    )
    for name in TABLES:
        conn.execute(
            f"create trigger refuse_write before insert or update or delete on rooms.{name} "  # type: ignore[arg-type]
            "for each statement execute function rooms.refuse_write()"
        )
