"""What goes wrong in real databases of rooms, made to happen: for tests of whoever reads them.

All of them write to a filled schema `rooms` as its owner. `LateCommit` is a transaction that ends long after others
that began later; `bad_rows` are those that only a foreign database lets in, and that no reader may stop at.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from dagster_project.sources.rooms import writing

_IDS = uuid.UUID("0b0b8c1e-7f0e-5d0a-8f3e-0d1f6b6f5c10")


class LateCommit:
    """A transaction of one client that has written messages and does not end until the block does.

    `row_xid` of its rows lies below that of everything written meanwhile; their updated_at is from before it.
    """

    def __init__(self, url: str, at: datetime, count: int = 3) -> None:
        self._url = url
        self._at = at
        self._count = count
        self.messages: list[str] = []

    def __enter__(self) -> Self:
        self._conn = psycopg.connect(self._url, application_name="late client")
        self.messages = post(self._conn, self._at, self._count, "tarde")
        return self

    def __exit__(self, failed: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if not failed:
            self._conn.commit()
        self._conn.close()


def post(conn: psycopg.Connection, at: datetime, count: int, name: str, spaced: timedelta = timedelta(0)) -> list[str]:
    """Messages of a person in one of their open rooms, in the caller's transaction. Returns their ids.

    Args:
        name: tells this call's messages from those of others.
        spaced: the time between two of them; none: all have one created_at and one updated_at.
    """
    writing.keep_months(conn, [at, at + count * spaced])
    ids = [str(uuid.uuid5(_IDS, f"{name}|{number}")) for number in range(count)]
    conn.execute(
        """
        insert into rooms.messages (id, room_id, sender_id, content, delivery_status, created_at, updated_at)
        select new.id, seat.room_id, seat.user_id, 'fault ' || place, 'delivered',
            %(at)s + (place - 1) * %(spaced)s, %(at)s + (place - 1) * %(spaced)s
        from unnest(%(ids)s::uuid[]) with ordinality as new (id, place)
        cross join (
            select room_id, user_id from rooms.room_participants
            inner join rooms.chat_rooms on chat_rooms.id = room_id and chat_rooms.status = 'active'
            where room_participants.status = 'active' order by room_id, user_id limit 1
        ) as seat
        """,
        {"at": at, "spaced": spaced, "ids": ids},
    )
    return ids


def one_instant(conn: psycopg.Connection, at: datetime, count: int = 5_000) -> list[str]:
    """So many messages with one updated_at: a cursor on that column, in batches, goes past some or reads for ever."""
    return post(conn, at, count, "one instant")


def skewed_clock(conn: psycopg.Connection, at: datetime, by: timedelta, count: int = 20) -> list[str]:
    """Messages of a client whose clock is off: written now, and dated `by` after `at` (or before it)."""
    return post(conn, at + by, count, f"skew {by}", timedelta(seconds=1))


def drift(conn: psycopg.Connection, at: datetime) -> str:
    """A deployment of the other side: messages have new columns, message_type a new value. Returns a message's id."""
    conn.execute("alter type rooms.message_type_enum add value if not exists 'video'")
    # Also one by a name that a reader may have for something of its own.
    conn.execute(
        "alter table rooms.messages add column if not exists urgency text, add column if not exists payload text"
    )
    conn.commit()  # a new value can be used after that
    (message,) = post(conn, at, 1, "drift")
    conn.execute("update rooms.messages set message_type = 'video', urgency = 'alta' where id = %s", [message])
    return message


def copy_database(url: str, source: str, target: str) -> None:
    """Keep a copy of a database as it is now, or put one back: nobody may be in either. `url` is of another one.

    The copy keeps each row's row_xid; what was written after it is gone where it is put back, as after a restore.
    """
    with psycopg.connect(url, autocommit=True) as conn:
        names = {"source": sql.Identifier(source), "target": sql.Identifier(target)}
        conn.execute(sql.SQL("drop database if exists {target} with (force)").format(**names))
        conn.execute(sql.SQL("create database {target} template {source} strategy file_copy").format(**names))


def bad_rows(conn: psycopg.Connection, at: datetime) -> dict[str, str]:
    """Rows as a foreign database may hold them. The schema's own checks, keys and triggers are taken away first.

    Args:
        at: an instant of the filled time, of which some rooms and messages are; the future is counted from it.

    Returns:
        the id of the row (or of its room) by the rule that it breaks.
    """
    _let_anything_in(conn)
    before, ids = at - timedelta(hours=1), {rule: str(uuid.uuid5(_IDS, rule)) for rule in _RULES}
    writing.keep_months(conn, [at - timedelta(days=40), at + timedelta(days=3)])
    (ids["message_id_twice"],) = post(conn, at - timedelta(days=35), 1, "message_id_twice")
    for rule, statement in _RULES.items():
        given: Mapping[str, Any] = {"id": ids[rule], "at": at, "before": before}
        row = conn.execute(statement, given).fetchone()
        if row is None:
            raise LookupError(f"the filled rooms have no row that could break {rule}")
        ids[rule] = str(row[0])
    return ids


def _let_anything_in(conn: psycopg.Connection) -> None:
    constraints = conn.execute(
        """
        select conrelid::regclass::text, conname from pg_constraint
        where connamespace = 'rooms'::regnamespace and contype in ('f', 'c') and conparentid = 0 and coninhcount = 0
        """
    ).fetchall()
    for table, name in constraints:
        statement = sql.SQL("alter table {} drop constraint if exists {}")
        conn.execute(statement.format(sql.Identifier(*table.split(".")), sql.Identifier(name)))
    conn.execute("alter table rooms.chat_rooms disable trigger set_root_room")


_MESSAGE = """
    insert into rooms.messages (id, room_id, sender_id, content, delivery_status, created_at, updated_at{more})
    select %(id)s, {room}, {sender}, 'fault', 'delivered', {at}, {at}{values}
    from rooms.messages where delivery_status = 'delivered' and created_at < %(at)s
    order by created_at desc, id limit 1 returning id
"""


def _message(
    room: str = "room_id", sender: str = "sender_id", at: str = "%(at)s", more: str = "", values: str = ""
) -> str:
    return _MESSAGE.format(room=room, sender=sender, at=at, more=more, values=values)


_RULES: Mapping[str, Any] = {
    "message_without_room": _message(room="gen_random_uuid()"),
    "message_without_sender": _message(sender="gen_random_uuid()"),
    "reply_to_missing": _message(more=", reply_to_message_id", values=", gen_random_uuid()"),
    "message_id_twice": """
        insert into rooms.messages (id, room_id, sender_id, content, delivery_status, created_at, updated_at)
        select id, room_id, sender_id, 'fault, newer', 'delivered', %(at)s, %(at)s from rooms.messages where id = %(id)s
        returning id
    """,
    "from_the_future": _message(at="%(at)s + interval '2 days'"),
    "completed_before_started": """
        update rooms.robot_interactions set completed_at = started_at - interval '1 minute'
        where id = (select id from rooms.robot_interactions where status = 'completed' order by id limit 1) returning id
    """,
    "left_before_joined": """
        update rooms.room_participants set status = 'left', left_at = joined_at - interval '1 hour'
        where (room_id, user_id) = (
            select room_id, user_id from rooms.room_participants where status = 'active' order by 1, 2 limit 1
        )
        returning room_id
    """,
    "resolved_before_created": """
        update rooms.escalations set resolved_at = created_at - interval '1 hour'
        where id = (select id from rooms.escalations where status = 'resolved' order by id limit 1) returning id
    """,
    "parent_cycle": """
        update rooms.chat_rooms set parent_room_id = child.id
        from (
            select id, parent_room_id from rooms.chat_rooms where parent_room_id is not null order by id limit 1
        ) as child
        where chat_rooms.id = child.parent_room_id returning chat_rooms.id
    """,
    "resolved_without_time": """
        update rooms.escalations set status = 'resolved', resolved_at = null
        where id = (select id from rooms.escalations where status = 'in_progress' order by id limit 1) returning id
    """,
}
