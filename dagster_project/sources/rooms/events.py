"""What happens in rooms, as events: the sandbox makes them, and `b2chat rooms import` reads them, a line each.

An event is a change of one thing at one instant: {"event": "message_edited", "at": "2026-03-02T14:05:09-05:00",
"id": …, "content": …}. KINDS has them all, with the fields that each must and may have.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dagster_project.sources.rooms import steps
from dagster_project.sources.rooms.ledger import ImpossibleChange, Key, Ledger
from dagster_project.sources.rooms.steps import Event, Step
from dagster_project.sources.rooms.tables import TABLES

USER_FIELDS = (
    "display_name",
    "avatar_url",
    "chat_preferences",
    "account_type_informal",
    "current_account_status",
    "is_email_verified",
)
RIGHTS = ("role", "can_send_messages", "can_invite_others", "can_see_history")


# A reply's message may be gone, or lie in a month that is archived: it is no reference.
_REFERENCES = {
    "organization_id": "organizations",
    "user_id": "users",
    "creator_id": "users",
    "sender_id": "users",
    "owner_id": "users",
    "granted_by": "users",
    "created_by_user_id": "users",
    "assigned_to_user_id": "users",
    "concluded_by_user_id": "users",
    "room_id": "chat_rooms",
    "parent_room_id": "chat_rooms",
    "source_room_id": "chat_rooms",
    "target_room_id": "chat_rooms",
    "message_id": "messages",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What an event says: the columns of `table` that it must and may name, and what it does to the tables.

    `apply` returns False where the tables say that it was done before.
    """

    table: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    apply: Step


def apply(ledger: Ledger, event: Event) -> bool:
    """Do to the tables what the event says; returns False where it was done before.

    Raises ImpossibleChange: it names a row that is not there, or is from before the last change of its row.
    """
    if ledger.is_gone(*subject(event)):
        return False
    for table, key in references(event):
        if ledger.row(table, *key) is None:
            raise ImpossibleChange(f"{table} has no row {key[0]}")
    return KINDS[event.kind].apply(ledger, event)


def references(event: Event) -> Iterator[tuple[str, Key]]:
    """The rows that must be there before the event, beside the one that it is about."""
    for name, value in event.fields.items():
        table = _REFERENCES.get(name)
        if table and value is not None:
            yield table, (value,)


def subject(event: Event) -> tuple[str, Key]:
    """The row that the event is about."""
    table = KINDS[event.kind].table
    if table == "data_access_log":
        return table, (steps.id_of_view(event),)
    fields = dict(event.fields) | {"changed_at": event.at}
    return table, tuple(fields[name] for name in TABLES[table].key)


_NO: tuple[str, ...] = ()
_PAIR = ("room_id", "user_id")

KINDS: Mapping[str, Kind] = {
    "organization_created": Kind("organizations", ("id", "name"), _NO, steps.inserts("organizations")),
    "user_created": Kind(
        "users",
        ("id", "organization_id", "username", "first_name", "last_name", "email"),
        (*USER_FIELDS, "password_hash"),
        steps.inserts("users"),
    ),
    "user_changed": Kind(
        "users",
        ("id",),
        ("username", "first_name", "last_name", "email", *USER_FIELDS),
        steps.updates("users"),
    ),
    "user_deleted": Kind("users", ("id",), _NO, steps.updates("users", "deleted_at", current_account_status="closed")),
    "role_granted": Kind(
        "user_roles", ("id", "user_id", "role"), ("room_id", "granted_by"), steps.inserts("user_roles", "valid_from")
    ),
    "role_ended": Kind("user_roles", ("id",), _NO, steps.updates("user_roles", "valid_to")),
    "presence_changed": Kind("user_presence_changes", ("user_id", "to_status"), _NO, steps.presence_changed),
    "room_created": Kind(
        "chat_rooms",
        ("id", "organization_id", "creator_id"),
        (
            "name",
            "description",
            "room_type",
            "issue_id",
            "issue_description",
            "is_private",
            "guest_access_allowed",
            "max_participants",
            "parent_room_id",
            "escalation_level",
            "room_settings",
        ),
        steps.room_created,
    ),
    "room_changed": Kind(
        "chat_rooms",
        ("id",),
        ("name", "description", "issue_id", "issue_description", "is_private", "escalation_level", "room_settings"),
        steps.updates("chat_rooms"),
    ),
    "room_concluded": Kind(
        "conversation_conclusions",
        ("room_id", "outcome"),
        ("concluded_by_user_id", "is_confirmed_by_customer", "summary"),
        steps.room_concluded,
    ),
    "room_reopened": Kind("chat_rooms", ("id",), _NO, steps.updates("chat_rooms", status="active")),
    "room_archived": Kind("chat_rooms", ("id",), _NO, steps.updates("chat_rooms", status="archived")),
    "room_deleted": Kind("chat_rooms", ("id",), _NO, steps.updates("chat_rooms", "deleted_at")),
    "room_viewed": Kind("data_access_log", ("user_id", "room_id", "purpose", "rows_read"), _NO, steps.room_viewed),
    "participant_joined": Kind("room_participants", _PAIR, RIGHTS, steps.participant_joined),
    "participant_changed": Kind("room_participants", _PAIR, ("status", *RIGHTS), steps.updates("room_participants")),
    "participant_left": Kind(
        "room_participants", _PAIR, _NO, steps.updates("room_participants", "left_at", status="left")
    ),
    "participant_removed": Kind(
        "room_participants", _PAIR, _NO, steps.updates("room_participants", "left_at", status="removed")
    ),
    "messages_read": Kind("room_participants", _PAIR, _NO, steps.updates("room_participants", "last_read_at")),
    "message_posted": Kind(
        "messages",
        ("id", "room_id", "sender_id", "content"),
        (
            "message_type",
            "content_metadata",
            "robot_id",
            "robot_response_to",
            "is_robot_visible_to_guests",
            "delivery_status",
            "reply_to_message_id",
            "thread_id",
            "client_key",
        ),
        steps.inserts("messages"),
    ),
    "message_delivered": Kind("messages", ("id", "delivery_status"), _NO, steps.updates("messages")),
    "message_edited": Kind("messages", ("id", "content"), _NO, steps.updates("messages")),
    "message_deleted": Kind("messages", ("id",), _NO, steps.updates("messages", "deleted_at")),
    "message_purged": Kind("messages", ("id",), _NO, steps.message_purged),
    "file_attached": Kind(
        "chat_file_attachments",
        ("id", "message_id", "file_manager_file_id", "original_filename", "file_size", "mime_type", "owner_id"),
        ("thumbnail_url", "preview_available"),
        steps.child_of_message("chat_file_attachments"),
    ),
    "file_deleted": Kind("chat_file_attachments", ("id",), _NO, steps.updates("chat_file_attachments", "deleted_at")),
    "robot_started": Kind(
        "robot_interactions",
        ("id", "message_id", "robot_id", "request_data"),
        ("status", "observation_data"),
        steps.child_of_message("robot_interactions", "started_at"),
    ),
    "robot_finished": Kind(
        "robot_interactions",
        ("id", "status"),
        ("observation_data", "response_data", "error_message", "is_handover"),
        steps.updates("robot_interactions", "completed_at"),
    ),
    "escalated": Kind(
        "escalations",
        ("id", "source_room_id", "escalation_reason", "from_level", "to_level", "created_by_user_id"),
        ("target_room_id", "priority"),
        steps.inserts("escalations"),
    ),
    "escalation_assigned": Kind(
        "escalations", ("id", "assigned_to_user_id"), _NO, steps.updates("escalations", status="assigned")
    ),
    "escalation_started": Kind("escalations", ("id",), _NO, steps.updates("escalations", status="in_progress")),
    "escalation_resolved": Kind(
        "escalations",
        ("id",),
        ("resolution_notes",),
        steps.updates("escalations", "resolved_at", status="resolved"),
    ),
    "escalation_cancelled": Kind("escalations", ("id",), _NO, steps.updates("escalations", status="cancelled")),
}
