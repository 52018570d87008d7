"""What is read of the schema `rooms`: its tables, the history of nine of them, and how a row of each is known."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from dagster_project.sources.contract import Copied, EntitySpec, SourceSpec
from dagster_project.sources.people import by_user

NAME = "rooms"
KEY = "row_key"  # of each of its tables in raw
ERASED = "[erased]"
ORIGINS = {"postgres": "a Postgres with the schema rooms", "sandbox": "the sandbox"}
DELETED = "deleted at the source"


def _texts(*fields: str) -> dict[str, object]:
    """Fields that hold a person's words, and what stands there once the person is erased."""
    return dict.fromkeys(fields, ERASED)


def _entity(
    name: str,
    keys: tuple[str, ...] = ("id",),
    *,
    conversation: str | None = None,
    secrets: tuple[str, ...] = (),
    deletes: EntitySpec | None = None,
    people: tuple[str, ...] = (),
    belongs_to: tuple[EntitySpec, tuple[str, ...]] | None = None,
    personal: Mapping[str, object] = MappingProxyType({}),
    month: str | None = None,
    is_compared: bool = False,
) -> EntitySpec:
    copied = Copied(
        keys,
        conversation,
        secrets,
        deletes,
        people,
        known_by=partial(by_user, NAME),
        personal=personal,
        belongs_to=belongs_to,
        month=month,
        is_compared=is_compared,
    )
    return EntitySpec(NAME, name, f"{NAME}_{name}", None, KEY, deletion_reason=DELETED, copied=copied)


def _history_of(entity: EntitySpec) -> EntitySpec:
    """Each row is one of the entity's as it was before a change; one that was deleted is told of here alone."""
    assert entity.copied
    of = entity.copied
    return _entity(
        f"{entity.name}_history",
        ("history_id", "changed_at"),
        conversation=of.conversation,
        deletes=entity,
        people=of.people,
        belongs_to=of.belongs_to,
        personal=of.personal,
        month="changed_at" if of.month else None,
    )


ORGANIZATIONS = _entity("organizations", is_compared=True)
USERS = _entity(
    "users",
    secrets=("password_hash",),
    people=("id",),
    personal=_texts("username", "first_name", "last_name", "email", "current_status")
    | {"display_name": None, "avatar_url": None, "chat_preferences": {}},
)
CHAT_ROOMS = _entity(
    "chat_rooms",
    conversation="id",
    personal=_texts("name") | {"description": None, "issue_description": None, "room_settings": {}},
)
ROOM_PARTICIPANTS = _entity("room_participants", ("room_id", "user_id"), conversation="room_id")
MESSAGES = _entity(
    "messages",
    ("id", "created_at"),
    conversation="room_id",
    people=("sender_id",),
    personal=_texts("content") | {"content_metadata": {}},
    month="created_at",
)
_OF_MESSAGE = MESSAGES, ("message_id", "message_created_at")
CHAT_FILE_ATTACHMENTS = _entity(
    "chat_file_attachments",
    ("id", "message_created_at"),
    people=("owner_id",),
    belongs_to=_OF_MESSAGE,
    personal=_texts("original_filename") | {"thumbnail_url": None},
)
ROBOT_INTERACTIONS = _entity(
    "robot_interactions",
    ("id", "message_created_at"),
    belongs_to=_OF_MESSAGE,
    personal={"request_data": {}, "observation_data": None, "response_data": None, "error_message": None},
)
USER_PRESENCE_CHANGES = _entity(
    "user_presence_changes",
    ("user_id", "changed_at"),
    people=("user_id",),
    personal=_texts("to_status"),  # whatever the person types
    month="changed_at",
    is_compared=True,
)
ESCALATIONS = _entity(
    "escalations",
    conversation="source_room_id",
    # What is escalated is about whoever the room is about that it leads to.
    people=("target_room_id", "created_by_user_id", "assigned_to_user_id"),
    personal=_texts("escalation_reason") | {"resolution_notes": None},
)
CONVERSATION_CONCLUSIONS = _entity(
    "conversation_conclusions",
    ("room_id",),
    conversation="room_id",
    people=("concluded_by_user_id",),
    personal={"summary": None},
)

HISTORIES = tuple(
    _history_of(entity)
    for entity in (
        USERS,
        CHAT_ROOMS,
        ROOM_PARTICIPANTS,
        MESSAGES,
        CHAT_FILE_ATTACHMENTS,
        ROBOT_INTERACTIONS,
        ESCALATIONS,
        CONVERSATION_CONCLUSIONS,
    )
)
# Whoever has which role now is no matter of analysis: when it was given and taken is.
USER_ROLES_HISTORY = _entity("user_roles_history", ("history_id", "changed_at"))

# Each sweep compares the keys of tables that have no history. Histories come last: they delete what the entities before
# them have brought.
ENTITIES = (
    ORGANIZATIONS,
    USERS,
    CHAT_ROOMS,
    ROOM_PARTICIPANTS,
    MESSAGES,
    CHAT_FILE_ATTACHMENTS,
    ROBOT_INTERACTIONS,
    ESCALATIONS,
    CONVERSATION_CONCLUSIONS,
    USER_PRESENCE_CHANGES,
    _entity("data_access_log", conversation="room_id", is_compared=True),
    _entity("archives", ("table", "partition"), is_compared=True),
    *HISTORIES,
    USER_ROLES_HISTORY,
)


ROOMS = SourceSpec(NAME, ENTITIES, ORIGINS)
