"""What each kind of event does to the tables."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from dagster_project.sources.rooms.ledger import Key, Ledger, stable_id
from dagster_project.sources.rooms.tables import TABLES


class Event(NamedTuple):
    """One event. `by`: the user who did it, None for the system or where nobody knows."""

    at: datetime
    kind: str
    by: str | None
    fields: Mapping[str, Any]


Step = Callable[[Ledger, Event], bool]


def inserts(table: str, time: str | None = None) -> Step:
    def step(ledger: Ledger, event: Event) -> bool:
        values = dict(event.fields) | ({time: event.at} if time else {})
        return ledger.insert(table, values, event.at)

    return step


def updates(table: str, time: str | None = None, **constants: Any) -> Step:
    """An update of the row that the event's key names, to its other fields and the constants."""
    names = TABLES[table].key

    def step(ledger: Ledger, event: Event) -> bool:
        changes = {name: value for name, value in event.fields.items() if name not in names} | constants
        if time:
            changes[time] = event.at
        return ledger.update(table, tuple(event.fields[name] for name in names), changes, event.at, event.by)

    return step


def room_created(ledger: Ledger, event: Event) -> bool:
    fields = dict(event.fields)
    above = ledger.row("chat_rooms", fields.get("parent_room_id"))
    return ledger.insert(
        "chat_rooms", fields | {"root_room_id": above["root_room_id"] if above else fields["id"]}, event.at
    )


def participant_joined(ledger: Ledger, event: Event) -> bool:
    """Joins, or comes back: then the row is that of before, with new times."""
    fields = dict(event.fields)
    if ledger.insert("room_participants", fields | {"joined_at": event.at}, event.at):
        return True
    key = (fields.pop("room_id"), fields.pop("user_id"))
    if _is_its_first(ledger, "room_participants", key, event):
        return False
    changes = fields | {"status": "active", "joined_at": event.at, "left_at": None}
    return ledger.update("room_participants", key, changes, event.at, event.by)


def child_of_message(table: str, time: str | None = None) -> Step:
    """A row that lies beside a message, in the message's month."""

    def step(ledger: Ledger, event: Event) -> bool:
        message = ledger.rows["messages"][(event.fields["message_id"],)]
        values = dict(event.fields) | {"message_created_at": message["created_at"]}
        return ledger.insert(table, values | ({time: event.at} if time else {}), event.at)

    return step


def message_purged(ledger: Ledger, event: Event) -> bool:
    """Deletes a message for good, and first what lies beside it."""
    (message,) = event.fields.values()
    for table in ("chat_file_attachments", "robot_interactions"):
        for row in [row for row in ledger.rows[table].values() if row["message_id"] == message]:
            ledger.delete(table, (row["id"],), event.at, event.by)
    ledger.delete("messages", (message,), event.at, event.by)
    return True


def room_concluded(ledger: Ledger, event: Event) -> bool:
    """Notes how it ended, and closes the room. A room that was opened again is concluded anew."""
    fields, room = dict(event.fields) | {"concluded_at": event.at}, event.fields["room_id"]
    if not ledger.insert("conversation_conclusions", fields, event.at):
        del fields["room_id"]
        if _is_its_first(ledger, "conversation_conclusions", (room,), event):
            return False
        if not ledger.update("conversation_conclusions", (room,), fields, event.at, event.by):
            return False
    ledger.update("chat_rooms", (room,), {"status": "closed"}, event.at, event.by)
    return True


def _is_its_first(ledger: Ledger, table: str, key: Key, event: Event) -> bool:
    """Whether the event is the one that made the row: then there is nothing to change."""
    return bool(event.at <= ledger.rows[table][key]["created_at"])


def presence_changed(ledger: Ledger, event: Event) -> bool:
    user = event.fields["user_id"]
    if not ledger.insert("user_presence_changes", dict(event.fields) | {"changed_at": event.at}, event.at):
        return False
    now = {"current_status": event.fields["to_status"], "last_seen_at": event.at}
    ledger.update("users", (user,), now, event.at, event.by)
    return True


def room_viewed(ledger: Ledger, event: Event) -> bool:
    values = dict(event.fields) | {"id": id_of_view(event), "at": event.at}
    return ledger.insert("data_access_log", values, event.at)


def id_of_view(event: Event) -> str:
    """A supervisor's read has no id of its own."""
    return stable_id("data_access_log", event.fields["user_id"], event.fields["room_id"], event.at.isoformat())
