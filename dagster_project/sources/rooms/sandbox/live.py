"""Plays what happens at a made-up firm now, as its application would: through the functions of the schema.

What no function is for (an account is made, a timer closes a room, the firm deletes a message for good) is a plain
statement; the triggers see it like any other.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from dagster_project.sources.rooms.steps import Event
from dagster_project.sources.rooms.tables import SCHEMA, TABLES

NOW = object()  # the server's time, where a value is given


class LivePlayer:
    """Plays events one by one, each in a transaction of the user who did it, at the time of the server.

    The functions make ids of their own: what was played is known by the sandbox's ids for as long as the player lives.
    `played` and `refused` count events by their kind. A refusal is no fault: a word in a room that was just closed, or
    what follows in a room that another player began.

    Args:
        conn: of an owner of the schema, in no transaction.
    """

    def __init__(self, conn: psycopg.Connection) -> None:
        self.played: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._conn = conn
        self._ids: dict[str, str] = {}
        self._openings: dict[str, Event] = {}  # rooms that an escalation is about to open, by id
        self._moves: list[Event] = []  # who goes there with it

    def play(self, event: Event) -> None:
        """Play an event. Raises psycopg.Error where the schema refuses it for another reason than a rule of its own."""
        if self._belongs_to_opening(event):
            return
        try:
            with self._conn.transaction():
                self.act_for(self._id(event.by))
                _CALLS[event.kind](self, event)
        except psycopg.Error as fault:
            if not (isinstance(fault, psycopg.IntegrityError) or (fault.sqlstate or "").startswith("RM")):
                raise
            self.refused[event.kind] += 1
        else:
            self.played[event.kind] += 1

    def call(self, function: str, *values: Any, **named: Any) -> tuple[Any, ...] | None:
        """The first row of a function's answer. Values are given in order, others by name; None is left out."""
        named = {name: value for name, value in named.items() if value is not None}
        places = [sql.SQL("%s")] * len(values) + [sql.SQL("{} => %s").format(sql.Identifier(name)) for name in named]
        statement = sql.SQL("select * from {}({})").format(sql.Identifier(SCHEMA, function), sql.SQL(", ").join(places))
        return self._conn.execute(statement, _given([*values, *named.values()])).fetchone()

    def insert(self, table: str, fields: Mapping[str, Any]) -> None:
        """A row that no function makes; NOW stands for the server's time."""
        statement = sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(SCHEMA, table),
            sql.SQL(", ").join(map(sql.Identifier, fields)),
            sql.SQL(", ").join(map(_place, fields.values())),
        )
        self._conn.execute(statement, _given(fields.values()))

    def update(self, table: str, key: Mapping[str, Any], changes: Mapping[str, Any]) -> int:
        """A change that no function makes. Returns how many rows it met."""
        statement = sql.SQL("update {} set {} where {}").format(
            sql.Identifier(SCHEMA, table),
            sql.SQL(", ").join(_equal(name, value) for name, value in changes.items()),
            sql.SQL(" and ").join(_equal(name, value) for name, value in key.items()),
        )
        return self._conn.execute(statement, _given([*changes.values(), *key.values()])).rowcount

    def delete(self, table: str, key: Mapping[str, Any]) -> None:
        """Rows that nobody may delete by a function."""
        conditions = sql.SQL(" and ").join(_equal(name, value) for name, value in key.items())
        statement = sql.SQL("delete from {} where {}").format(sql.Identifier(SCHEMA, table), conditions)
        self._conn.execute(statement, _given(key.values()))

    def act_for(self, user: str | None) -> None:
        """Speak for a user until the transaction ends; None: for nobody."""
        self._conn.execute("select set_config('rooms.user_id', %s, true)", [user or ""])

    def is_in(self, room: str, user: str) -> bool:
        """Whether somebody takes part in a room."""
        seat = "select from rooms.room_participants where room_id = %s and user_id = %s and status = 'active'"
        return self._conn.execute(seat, [room, user]).rowcount > 0

    def keep(self, made_up: str, row: tuple[Any, ...] | None, place: int = 0) -> None:
        """Remember the id that the database gave for one of the sandbox."""
        if row:
            self._ids[made_up] = str(row[place])

    def fields(self, event: Event) -> dict[str, Any]:
        """An event's fields with the database's ids."""
        return {name: self._id(value) if isinstance(value, str) else value for name, value in event.fields.items()}

    def move_guests(self) -> None:
        """Those who follow the customer's case to its new room and whom the escalation did not move itself."""
        for event in self._moves:
            fields = self.fields(event)
            self.act_for(fields["user_id"])
            is_in = self.is_in(fields["room_id"], fields["user_id"])
            if event.kind == "participant_left" and is_in:
                self.call("leave_room", fields["room_id"])
            elif event.kind == "participant_joined" and not is_in:
                self.call("add_participant", fields["room_id"], fields["user_id"])
        self._moves.clear()

    def _belongs_to_opening(self, event: Event) -> bool:
        """Whether the event is a part of an escalation, whose function does it."""
        if event.kind == "room_created" and event.fields.get("parent_room_id"):
            self._openings[event.fields["id"]] = event
            return True
        now = {opening.at for opening in self._openings.values()}
        if event.kind in ("participant_left", "participant_joined") and event.at in now:
            self._moves.append(event)
            return True
        if event.kind == "escalated":
            self._openings.pop(event.fields.get("target_room_id") or "", None)
        return event.kind == "message_posted" and event.fields.get("message_type") == "system"

    def _id(self, value: str | None) -> str | None:
        return self._ids.get(value, value) if value else None


Call = Callable[[LivePlayer, Event], None]


def _function(name: str, *fields: str) -> Call:
    """A function that is called with some of the event's fields."""

    def call(player: LivePlayer, event: Event) -> None:
        known = player.fields(event)
        player.call(name, *(known.get(field) for field in fields))

    return call


def _room_created(player: LivePlayer, event: Event) -> None:
    fields = player.fields(event)
    wanted = ("name", "room_type", "issue_id", "issue_description", "is_private", "guest_access_allowed")
    made = player.call("create_room", **{name: fields.get(name) for name in wanted})
    player.keep(event.fields["id"], made)


def _message_posted(player: LivePlayer, event: Event) -> None:
    fields = player.fields(event)
    wanted = ("message_type", "robot_id", "robot_response_to", "is_robot_visible_to_guests", "delivery_status")
    made = player.call(
        "post_message",
        fields["room_id"],
        fields["content"],
        client_key=event.fields["id"],
        reply_to=fields.get("reply_to_message_id"),
        thread=fields.get("thread_id"),
        **{name: fields.get(name) for name in wanted},
    )
    player.keep(event.fields["id"], made)


def _file_attached(player: LivePlayer, event: Event) -> None:
    fields = player.fields(event)
    wanted = ("message_id", "file_manager_file_id", "original_filename", "file_size", "mime_type", "thumbnail_url")
    player.keep(event.fields["id"], player.call("attach_file", *(fields.get(name) for name in wanted)))


def _robot_started(player: LivePlayer, event: Event) -> None:
    fields = player.fields(event)
    made = player.call("start_robot", fields["message_id"], fields["robot_id"], fields["request_data"])
    player.keep(event.fields["id"], made)


def _robot_finished(player: LivePlayer, event: Event) -> None:
    fields = player.fields(event)
    wanted = ("response_data", "error_message", "is_handover")
    player.call("finish_robot", fields["id"], **{name: fields.get(name) for name in wanted})


def _escalated(player: LivePlayer, event: Event) -> None:
    fields = player.fields(event)
    if not fields.get("target_room_id"):  # by somebody who works on in the same room
        player.insert("escalations", fields)
        return
    made = player.call(
        "escalate", fields["source_room_id"], fields["to_level"], fields["escalation_reason"], fields["priority"]
    )
    player.keep(event.fields["id"], made)
    player.keep(event.fields["target_room_id"], made, 1)
    player.move_guests()


def _room_concluded(player: LivePlayer, event: Event) -> None:
    fields = player.fields(event)
    room, person = fields["room_id"], fields["concluded_by_user_id"]
    if person and player.call("has_permission", person, "chat:escalation:resolve", room) == (True,):
        words, confirmed = fields.get("summary"), fields.get("is_confirmed_by_customer")
        player.call("conclude_room", room, how=fields["outcome"], words=words, customer_confirmed=confirmed)
        return
    ended = {name: value for name, value in fields.items() if name != "room_id"} | {"concluded_at": NOW}
    if not player.update("conversation_conclusions", {"room_id": room}, ended):
        player.insert("conversation_conclusions", fields | {"concluded_at": NOW})
    player.update("chat_rooms", {"id": room}, {"status": "closed"})


def _message_purged(player: LivePlayer, event: Event) -> None:
    message = player.fields(event)["id"]
    for table in ("chat_file_attachments", "robot_interactions"):
        player.delete(table, {"message_id": message})
    player.delete("messages", {"id": message})


def _inserted(table: str, **more: Any) -> Call:
    return lambda player, event: player.insert(table, player.fields(event) | more)


def _updated(table: str, **changes: Any) -> Call:
    """A change of the row that the event's key names: to its other fields, and to what is given here."""

    def call(player: LivePlayer, event: Event) -> None:
        fields, key = player.fields(event), TABLES[table].key
        told = {name: value for name, value in fields.items() if name not in key}
        player.update(table, {name: fields[name] for name in key}, told | changes)

    return call


_CALLS: Mapping[str, Call] = {
    "organization_created": _inserted("organizations"),
    "user_created": _inserted("users", password_hash="!"),
    "user_changed": _updated("users"),
    "user_deleted": _updated("users", deleted_at=NOW, current_account_status="closed"),
    "role_granted": _inserted("user_roles"),
    "role_ended": _updated("user_roles", valid_to=NOW),
    "presence_changed": _function("set_presence", "to_status"),
    "room_created": _room_created,
    "room_concluded": _room_concluded,
    "room_reopened": _function("reopen_room", "id"),
    "room_viewed": _function("monitor_messages", "room_id", "purpose"),
    "room_archived": _updated("chat_rooms", status="archived"),
    "participant_joined": _function("add_participant", "room_id", "user_id", "role"),
    "participant_removed": _function("remove_participant", "room_id", "user_id"),
    "participant_left": _function("leave_room", "room_id"),
    "messages_read": _function("mark_read", "room_id"),
    "message_posted": _message_posted,
    "message_delivered": _function("mark_delivered", "id", "delivery_status"),
    "message_edited": _function("edit_message", "id", "content"),
    "message_deleted": _function("delete_message", "id"),
    "message_purged": _message_purged,
    "file_attached": _file_attached,
    "file_deleted": _function("delete_file", "id"),
    "robot_started": _robot_started,
    "robot_finished": _robot_finished,
    "escalated": _escalated,
    "escalation_assigned": _function("assign_escalation", "id", "assigned_to_user_id"),
    "escalation_started": _function("start_escalation", "id"),
    "escalation_resolved": _function("resolve_escalation", "id", "resolution_notes"),
    "escalation_cancelled": _function("cancel_escalation", "id"),
}


def _place(value: Any) -> sql.SQL:
    return sql.SQL("now()" if value is NOW else "%s")


def _equal(name: str, value: Any) -> sql.Composed:
    return sql.SQL("{} = {}").format(sql.Identifier(name), _place(value))


def _given(values: Iterable[Any]) -> list[Any]:
    return [Jsonb(value) if isinstance(value, dict) else value for value in values if value is not NOW]
