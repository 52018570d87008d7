"""Plays what happens at a made-up firm, as its application would: through the functions of the schema alone.

Each event is played at its own time and leaves rows with its own ids (`rooms.clock`, `rooms.ids`): what is played goes
on from what was written by COPY, and the same events leave the same rows.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from dagster_project.sources.rooms.events import subject
from dagster_project.sources.rooms.roles import APP, SYSTEM
from dagster_project.sources.rooms.steps import Event
from dagster_project.sources.rooms.tables import SCHEMA


class LivePlayer:
    """Plays events one by one, as the application's role, which may write by no other way than a function.

    `played` and `refused` count events by their kind. A refusal is no fault: a word in a room that was just closed.

    Args:
        conn: of an owner of the schema, who may set its clock.
    """

    def __init__(self, conn: psycopg.Connection) -> None:
        self.played: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._conn = conn
        self._openings: dict[str, Event] = {}  # rooms that an escalation is about to open, by id
        self._moves: list[Event] = []  # who goes there with it

    def play(self, event: Event) -> None:
        """Play an event in a transaction, or in a part of the caller's.

        Raises psycopg.Error where the schema refuses it for another reason than a rule of its own.
        """
        if self._belongs_to_opening(event):
            return
        try:
            with self._conn.transaction():
                self._set({"rooms.clock": event.at.isoformat(), "rooms.ids": _ids_of(event)} | _speaking_for(event.by))
                _CALLS[event.kind](self, event)
                self._set(dict.fromkeys(("rooms.clock", "rooms.ids", "rooms.user_id"), "") | {"role": "none"})
        except psycopg.Error as fault:
            if not (isinstance(fault, psycopg.IntegrityError) or (fault.sqlstate or "").startswith("RM")):
                raise
            self.refused[event.kind] += 1
        else:
            self.played[event.kind] += 1

    def call(self, function: str, /, *values: Any, **named: Any) -> tuple[Any, ...] | None:
        """The first row of a function's answer. Values are given in order, others by name; None is left out."""
        named = {name: value for name, value in named.items() if value is not None}
        given = [Jsonb(value) if isinstance(value, dict) else value for value in (*values, *named.values())]
        return self._conn.execute(_call_of(function, len(values), tuple(named)), given).fetchone()

    def act_for(self, user: str) -> None:
        """Speak for a user until the event ends."""
        self._set(_speaking_for(user))

    def act_alone(self) -> None:
        """Do what the application alone may do, still for its user."""
        self._set({"role": SYSTEM})

    def is_in(self, room: str, user: str) -> bool:
        """Whether somebody takes part in a room."""
        seat = "select from rooms.room_participants where room_id = %s and user_id = %s and status = 'active'"
        return self._conn.execute(seat, [room, user]).rowcount > 0

    def move_guests(self, at: datetime) -> None:
        """Those who follow the customer's case to its new room and whom the escalation did not move itself."""
        moves, self._moves = self._moves, []
        for event in moves:
            if event.at != at:  # of an escalation that was refused
                continue
            room, user = event.fields["room_id"], event.fields["user_id"]
            self.act_for(user)
            is_in = self.is_in(room, user)
            if event.kind == "participant_left" and is_in:
                self.call("leave_room", room)
            elif event.kind == "participant_joined" and not is_in:
                self.call("add_participant", room, user)

    def _set(self, settings: Mapping[str, str]) -> None:
        """Settings of the transaction."""
        self._conn.execute(_set_of(len(settings)), [text for item in settings.items() for text in item])

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


@cache
def _call_of(function: str, count: int, names: tuple[str, ...]) -> bytes:
    """A call of a function with so many values in order, and others by name."""
    places = [sql.SQL("%s")] * count + [sql.SQL("{} => %s").format(sql.Identifier(name)) for name in names]
    call = sql.SQL("select * from {}({})").format(sql.Identifier(SCHEMA, function), sql.SQL(", ").join(places))
    return call.as_bytes(None)


@cache
def _set_of(count: int) -> bytes:
    places = sql.SQL(", ").join([sql.SQL("set_config(%s, %s, true)")] * count)
    return sql.SQL("select {}").format(places).as_bytes(None)


def _speaking_for(user: str | None) -> dict[str, str]:
    """Nobody: what the application does by itself."""
    return {"role": APP if user else SYSTEM, "rooms.user_id": user or ""}


def _ids_of(event: Event) -> str:
    """The ids of the rows that an event makes, by table; ids that it lacks follow from what tells it from others."""
    table, key = subject(event)
    ids: dict[str, Any] = {"event": [event.kind, event.at.isoformat(), *map(str, key)], table: [str(key[0])]}
    if event.fields.get("target_room_id"):
        ids["chat_rooms"] = [event.fields["target_room_id"]]
    return json.dumps(ids)


Call = Callable[[LivePlayer, Event], None]


def _function(function: str, /, *fields: str, **named: str) -> Call:
    """A function that is called with some of the event's fields: in order, and by the function's names for them."""

    def call(player: LivePlayer, event: Event) -> None:
        player.call(
            function,
            *(event.fields.get(field) for field in fields),
            **{argument: event.fields.get(field) for argument, field in named.items()},
        )

    return call


def _same(*fields: str) -> dict[str, str]:
    """Fields that the function calls what the event calls them."""
    return {field: field for field in fields}


def _participant_joined(player: LivePlayer, event: Event) -> None:
    room, user, role = (event.fields[name] for name in ("room_id", "user_id", "role"))
    if not player.is_in(room, user):  # whoever made the room is in it
        player.call("add_participant", room, user, role)


def _escalated(player: LivePlayer, event: Event) -> None:
    names = ("source_room_id", "to_level", "escalation_reason", "priority")
    given = [event.fields[name] for name in names]
    if event.fields.get("target_room_id"):
        player.call("escalate", *given)
        player.move_guests(event.at)
    else:  # by somebody who works on in the same room
        player.call("escalate_in_room", *given)


def _room_concluded(player: LivePlayer, event: Event) -> None:
    room, outcome, person, words, confirmed = (
        event.fields.get(name)
        for name in ("room_id", "outcome", "concluded_by_user_id", "summary", "is_confirmed_by_customer")
    )
    if person and player.call("has_permission", person, "chat:escalation:resolve", room) == (True,):
        player.call("conclude_room", room, how=outcome, words=words, customer_confirmed=confirmed)
        return
    player.act_alone()
    player.call("close_room", room, outcome, words=words, person=person, customer_confirmed=confirmed)


def _by_the_application(call: Call) -> Call:
    """What a user asks for and only the application can do."""

    def alone(player: LivePlayer, event: Event) -> None:
        player.act_alone()
        call(player, event)

    return alone


_CALLS: Mapping[str, Call] = {
    "user_created": _function(
        "create_user",
        *("organization_id", "username", "first_name", "last_name", "email"),
        account_type="account_type_informal",
        account_status="current_account_status",
        **_same("is_email_verified"),
    ),
    "user_changed": _by_the_application(
        _function(
            "change_user", "id", account_status="current_account_status", **_same("display_name", "is_email_verified")
        )
    ),
    "user_deleted": _function("close_account", "id"),
    "role_granted": _function("grant_role", "user_id", "role", **_same("granted_by")),
    "role_ended": _function("end_role", "id"),
    "presence_changed": _function("set_presence", "to_status"),
    "room_created": _function(
        "create_room",
        **_same("name", "room_type", "issue_id", "issue_description", "is_private", "guest_access_allowed"),
    ),
    "room_concluded": _room_concluded,
    "room_reopened": _function("reopen_room", "id"),
    "room_viewed": _function("monitor_messages", "room_id", "purpose"),
    "room_archived": _function("archive_closed_room", "id"),
    "participant_joined": _participant_joined,
    "participant_removed": _function("remove_participant", "room_id", "user_id"),
    "participant_left": _function("leave_room", "room_id"),
    "messages_read": _function("mark_read", "room_id"),
    "message_posted": _function(
        "post_message",
        "room_id",
        "content",
        reply_to="reply_to_message_id",
        thread="thread_id",
        **_same("message_type", "robot_id", "robot_response_to", "is_robot_visible_to_guests", "delivery_status"),
    ),
    "message_delivered": _function("mark_delivered", "id", "delivery_status"),
    "message_edited": _function("edit_message", "id", "content"),
    "message_deleted": _function("delete_message", "id"),
    "message_purged": _function("purge_message", "id"),
    "file_attached": _function(
        "attach_file",
        *("message_id", "file_manager_file_id", "original_filename", "file_size", "mime_type", "thumbnail_url"),
    ),
    "file_deleted": _function("delete_file", "id"),
    "robot_started": _function("start_robot", "message_id", "robot_id", "request_data"),
    "robot_finished": _function("finish_robot", "id", **_same("response_data", "error_message", "is_handover")),
    "escalated": _escalated,
    "escalation_assigned": _function("assign_escalation", "id", "assigned_to_user_id"),
    "escalation_started": _function("start_escalation", "id"),
    "escalation_resolved": _function("resolve_escalation", "id", "resolution_notes"),
    "escalation_cancelled": _function("cancel_escalation", "id"),
}
