"""The audit trail of rooms: whatever is changed, by whichever way, any past state can be told."""

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from dagster_project.sources.rooms import schema
from dagster_project.warehouse.connection import connect
from tests.support.rooms import add_organizations, add_room, add_user, seat

OPERATIONS, INSTANTS = 2_000, 20
Row = tuple[str, str, bool]  # room, content, is it deleted softly
STATE = "select id::text, room_id::text, content, deleted_at is not null from rooms.messages"


class Shadow:
    """Random changes of messages, and what each leaves, kept apart in Python."""

    def __init__(self, conn: psycopg.Connection, rooms: list[uuid.UUID], author: uuid.UUID) -> None:
        self.conn, self.rooms, self.author = conn, [str(room) for room in rooms], author
        self.random, self.rows, self.number = random.Random(16), {}, 0
        self.month = f"rooms.messages_{datetime.now(UTC):%Y_%m}"

    def step(self) -> None:
        """One operation, in this transaction."""
        self.number += 1
        rows, pick = self.rows, self.random
        kind = pick.choices(
            ("insert", "edit", "partition", "move", "soft", "hard", "bulk", "no change"), (5, 4, 2, 1, 1, 1, 0.2, 1)
        )[0]
        if kind == "insert" or not rows:
            for _ in range(pick.choice((1, 1, 1, 30))):
                self._insert()
            return
        one = pick.choice(list(rows))
        room, content, is_deleted = rows[one]
        text = f"text {self.number}"
        if kind in ("edit", "partition", "no change"):
            text = content if kind == "no change" else text
            table = self.month if kind == "partition" else "rooms.messages"
            self._run(f"update {table} set content = %s where id = %s", text, one)
            rows[one] = (room, text, is_deleted)
        elif kind == "move":
            other = pick.choice(self.rooms)
            self._run("update rooms.messages set room_id = %s where id = %s", other, one)
            rows[one] = (other, content, is_deleted)
        elif kind == "soft":
            self._run("update rooms.messages set deleted_at = coalesce(deleted_at, now()) where id = %s", one)
            rows[one] = (room, content, True)
        elif kind == "hard":
            table = pick.choice((self.month, "rooms.messages"))
            self._run(f"delete from {table} where id = %s", one)
            del rows[one]
        else:
            self._run("update rooms.messages set content = %s where room_id = %s", text, room)
            self.rows = {key: (row[0], text if row[0] == room else row[1], row[2]) for key, row in rows.items()}

    def _insert(self) -> None:
        one, room = str(uuid.UUID(int=self.random.getrandbits(128))), self.random.choice(self.rooms)
        self._run(
            "insert into rooms.messages (id, room_id, sender_id, content) values (%s, %s, %s, %s)",
            one,
            room,
            self.author,
            "new",
        )
        self.rows[one] = (room, "new", False)

    def _run(self, statement: str, *values: Any) -> None:
        self.conn.execute(statement, values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    made = new_database()
    schema.upgrade(made)
    with connect(made) as conn:
        add_organizations(conn)
        add_user(conn, "ana")
    return made


def test_any_past_state_of_any_message_can_be_told(url: str) -> None:
    with connect(url) as conn:
        author = conn.execute("select id from rooms.users").fetchone()[0]  # type: ignore[index]
        shadow = Shadow(conn, [add_room(conn, author) for _ in range(4)], author)
        conn.commit()
        looks = set(random.Random(7).sample(range(OPERATIONS // 2, OPERATIONS), INSTANTS))
        past: list[tuple[datetime, dict[str, Row]]] = []
        for number in range(OPERATIONS):
            shadow.step()
            if number in looks or number % 5 == 0:  # up to five operations in one transaction
                conn.commit()
            if number in looks:
                at = conn.execute("select clock_timestamp()").fetchone()[0]  # type: ignore[index]
                conn.commit()
                past.append((at, dict(shadow.rows)))
        conn.commit()
        now = {key: tuple(row) for key, *row in conn.execute(STATE).fetchall()}
        assert now == shadow.rows
        ids = [
            one
            for (one,) in conn.execute(
                "select id from rooms.messages union select id from rooms.messages_history"
            ).fetchall()
        ]
        assert len(ids) > 1_000 and len(past) == INSTANTS
        for at, rows in past:
            told = conn.execute(
                "select then_was.id::text, then_was.room_id::text, then_was.content, then_was.deleted_at is not null "
                "from unnest(%s::uuid[]) as one, rooms.message_as_of(one, %s) as then_was",
                [ids, at],
            ).fetchall()
            assert {key: tuple(row) for key, *row in told} == rows
        counts = dict(conn.execute("select operation_type, count(*) from rooms.messages_history group by 1").fetchall())
        assert counts["UPDATE"] > 800 and counts["DELETE"] > 50


def test_a_change_says_who_made_it_in_which_transaction_and_what_of_it_is_new(url: str) -> None:
    with connect(url) as conn:
        author = conn.execute("select id from rooms.users").fetchone()[0]  # type: ignore[index]
        room = add_room(conn, author, name="before")
        conn.commit()
        conn.execute("select set_config('rooms.user_id', %s, true)", [str(author)])
        conn.execute("update rooms.chat_rooms set name = 'after', description = 'd' where id = %s", [room])
        (transaction,) = conn.execute("select pg_current_xact_id()::text::bigint").fetchone() or (0,)
        row = conn.execute(
            "select operation_type, name, changed_by, transaction_id, row_xid, changed_columns "
            "from rooms.chat_rooms_history where id = %s",
            [room],
        ).fetchone()
        assert row == ("UPDATE", "before", author, transaction, transaction, ["name", "description"])
        conn.execute("update rooms.users set password_hash = 'secret' where id = %s", [author])
        told = conn.execute("select changed_columns, t::text from rooms.users_history as t").fetchone()
        assert told is not None and told[0] == ["password_hash"] and "secret" not in told[1]
        conn.rollback()


def test_a_row_whose_key_was_changed_is_in_the_history_too(url: str) -> None:
    with connect(url) as conn:
        author = conn.execute("select id from rooms.users").fetchone()[0]  # type: ignore[index]
        room = add_room(conn, author, name="before")
        other = add_user(conn, "another")
        seat(conn, room, author)
        conn.execute("update rooms.room_participants set user_id = %s where room_id = %s", [other, room])
        told = conn.execute("select user_id, changed_columns from rooms.room_participants_history").fetchall()
        assert told == [(author, None)]
        conn.rollback()


@pytest.mark.parametrize("table", ["messages", "messages_history", "chat_rooms", "organizations", "archives"])
def test_no_table_can_be_truncated_nor_a_month_of_it(url: str, table: str) -> None:
    with connect(url) as conn:
        parts = conn.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = %s::regclass", [f"rooms.{table}"]
        )
        for name in [f"rooms.{table}", *(part for (part,) in parts.fetchall())]:
            with pytest.raises(psycopg.Error) as refused, conn.transaction():
                conn.execute(f"truncate {name} cascade")
            assert refused.value.sqlstate == "RM013"


def test_when_a_message_was_written_never_changes(url: str) -> None:
    with connect(url) as conn:
        author = conn.execute("select id from rooms.users").fetchone()[0]  # type: ignore[index]
        room = add_room(conn, author)
        insert = "insert into rooms.messages (room_id, sender_id, content) values (%s, %s, 'x')"
        conn.execute(insert, [room, author])
        with pytest.raises(psycopg.Error) as refused, conn.transaction():
            conn.execute(
                "update rooms.messages set created_at = created_at - interval '1 second' where room_id = %s", [room]
            )
        assert refused.value.sqlstate == "RM012"
        conn.rollback()


def test_a_row_knows_the_transaction_that_wrote_it_last(url: str) -> None:
    with connect(url) as conn:
        author = conn.execute("select id from rooms.users").fetchone()[0]  # type: ignore[index]
        room = add_room(conn, author)
        conn.execute(
            "update rooms.chat_rooms set row_xid = 1, updated_at = %s where id = %s",
            [datetime.now(UTC) - timedelta(days=9), room],
        )
        row = conn.execute(
            "select row_xid = pg_current_xact_id()::text::bigint, updated_at >= now() "
            "from rooms.chat_rooms where id = %s",
            [room],
        ).fetchone()
        assert row == (True, True)
        conn.rollback()
