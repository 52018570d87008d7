"""The tables of the schema `rooms` as a writer of their rows knows them: columns, defaults, keys, which keep history.

Those of permissions' names and of jobs are not here: migrations and jobs fill them. A test compares all this with the
schema itself. The order is that of the foreign keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SCHEMA: Final = "rooms"
REQUIRED: Final = object()  # the default of a column that has none


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `type` is uuid, text, integer, boolean, jsonb, timestamptz, or a tuple: the values that it may have."""

    type: str | tuple[str, ...]
    default: Any = REQUIRED
    is_nullable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        key: the columns that tell its rows apart; of a monthly table without the month's column.
        month: the column by which it is partitioned, None where it is not.
        keeps_history: whether `<name>_history` has each row as it was before a change.
        silent: columns whose change alone leaves no history.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    month: str | None = None
    keeps_history: bool = True
    silent: frozenset[str] = field(default=frozenset())

    @property
    def history(self) -> str:
        """The name of its history table."""
        return f"{self.name}_history"

    @property
    def history_columns(self) -> list[str]:
        """The columns that its history has of it."""
        return [name for name in self.columns if name not in NEVER_IN_HISTORY]


NEVER_IN_HISTORY = frozenset({"password_hash"})

_UUID, _TEXT, _WHOLE, _FLAG, _TIME = (
    Column("uuid"),
    Column("text"),
    Column("integer"),
    Column("boolean"),
    Column("timestamptz"),
)
_NO_UUID, _NO_TEXT, _NO_WHOLE, _NO_FLAG, _NO_TIME, _NO_JSON = (
    Column(kind, None, is_nullable=True) for kind in ("uuid", "text", "integer", "boolean", "timestamptz", "jsonb")
)
_JSON = Column("jsonb")
_EMPTY_JSON = Column("jsonb", {})
_TRUE, _FALSE = Column("boolean", True), Column("boolean", False)
_STAMPS = {"created_at": _TIME, "updated_at": _TIME}
_SOFT = {"deleted_at": _NO_TIME}

LEVELS = ("T1", "T2", "T3", "manager")

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "organizations",
            ("id",),
            {"id": _UUID, "name": _TEXT, "is_active": _TRUE} | _STAMPS,
            keeps_history=False,
        ),
        Table(
            "users",
            ("id",),
            {
                "id": _UUID,
                "username": _TEXT,
                "first_name": _TEXT,
                "last_name": _TEXT,
                "email": _TEXT,
                "password_hash": Column("text", "!"),  # no password has this hash
                "display_name": _NO_TEXT,
                "avatar_url": _NO_TEXT,
                "current_status": Column("text", "offline"),
                "last_seen_at": _NO_TIME,
                "chat_preferences": _EMPTY_JSON,
                "account_type_informal": Column(
                    ("guest", "registered", "agent", "supervisor", "robot", "admin"), "guest"
                ),
                "current_account_status": Column(
                    ("pending-verification", "active", "suspended", "closed"), "pending-verification"
                ),
                "is_email_verified": _FALSE,
                "organization_id": _UUID,
            }
            | _STAMPS
            | _SOFT,
            silent=frozenset({"current_status", "last_seen_at"}),
        ),
        Table(
            "chat_rooms",
            ("id",),
            {
                "id": _UUID,
                "name": _NO_TEXT,
                "description": _NO_TEXT,
                "room_type": Column(("group", "direct", "support", "escalated"), "group"),
                "status": Column(("active", "archived", "closed"), "active"),
                "issue_id": _NO_TEXT,
                "issue_description": _NO_TEXT,
                "is_private": _FALSE,
                "guest_access_allowed": _TRUE,
                "max_participants": Column("integer", 50, is_nullable=True),
                "creator_id": _UUID,
                "parent_room_id": _NO_UUID,
                "escalation_level": Column("integer", 1, is_nullable=True),
                "room_settings": _EMPTY_JSON,
                "organization_id": _UUID,
                "root_room_id": _UUID,
            }
            | _STAMPS
            | _SOFT,
        ),
        Table(
            "room_participants",
            ("room_id", "user_id"),
            {
                "room_id": _UUID,
                "user_id": _UUID,
                "role": Column(("member", "moderator", "observer", "guest"), "member"),
                "status": Column(("active", "muted", "removed", "left"), "active"),
                "can_send_messages": _TRUE,
                "can_invite_others": _FALSE,
                "can_see_history": _TRUE,
                "joined_at": _TIME,
                "last_read_at": _NO_TIME,
                "left_at": _NO_TIME,
            }
            | _STAMPS
            | _SOFT,
        ),
        Table(
            "messages",
            ("id",),
            {
                "id": _UUID,
                "room_id": _UUID,
                "sender_id": _UUID,
                "message_type": Column(("chat", "robot", "system", "file", "image", "graph"), "chat"),
                "content": _TEXT,
                "content_metadata": _EMPTY_JSON,
                "robot_id": _NO_TEXT,
                "robot_response_to": _NO_UUID,
                "is_robot_visible_to_guests": Column("boolean", False, is_nullable=True),
                "delivery_status": Column(("streaming", "batch-delay", "delivered", "failed"), "streaming"),
                "reply_to_message_id": _NO_UUID,
                "thread_id": _NO_UUID,
                "client_key": _NO_TEXT,
            }
            | _STAMPS
            | _SOFT,
            month="created_at",
        ),
        Table(
            "chat_file_attachments",
            ("id",),
            {
                "id": _UUID,
                "message_id": _UUID,
                "file_manager_file_id": _UUID,
                "original_filename": _TEXT,
                "file_size": _WHOLE,
                "mime_type": _TEXT,
                "thumbnail_url": _NO_TEXT,
                "preview_available": Column("boolean", False, is_nullable=True),
                "owner_id": _UUID,
                "message_created_at": _TIME,
            }
            | _STAMPS
            | _SOFT,
            month="message_created_at",
        ),
        Table(
            "robot_interactions",
            ("id",),
            {
                "id": _UUID,
                "message_id": _UUID,
                "robot_id": _TEXT,
                "request_data": _JSON,
                "observation_data": _NO_JSON,
                "response_data": _NO_JSON,
                "status": Column(("pending", "processing", "completed", "failed"), "pending"),
                "error_message": _NO_TEXT,
                "started_at": _TIME,
                "completed_at": _NO_TIME,
                "message_created_at": _TIME,
                "is_handover": _FALSE,
            }
            | _STAMPS,
            month="message_created_at",
        ),
        Table(
            "escalations",
            ("id",),
            {
                "id": _UUID,
                "source_room_id": _UUID,
                "target_room_id": _NO_UUID,
                "escalation_reason": _TEXT,
                "from_level": Column(LEVELS),
                "to_level": Column(LEVELS),
                "priority": Column("integer", 3, is_nullable=True),
                "created_by_user_id": _UUID,
                "assigned_to_user_id": _NO_UUID,
                "status": Column(("created", "assigned", "in_progress", "resolved", "cancelled"), "created"),
                "resolution_notes": _NO_TEXT,
                "resolved_at": _NO_TIME,
            }
            | _STAMPS,
        ),
        Table(
            "conversation_conclusions",
            ("room_id",),
            {
                "room_id": _UUID,
                "concluded_at": _TIME,
                "concluded_by_user_id": _NO_UUID,
                "outcome": Column(("resolved", "unresolved", "abandoned", "duplicate", "escalated")),
                "is_confirmed_by_customer": _NO_FLAG,
                "summary": _NO_TEXT,
            }
            | _STAMPS,
        ),
        Table(
            "user_presence_changes",
            ("user_id", "changed_at"),
            {"user_id": _UUID, "to_status": _TEXT, "changed_at": _TIME} | _STAMPS,
            month="changed_at",
            keeps_history=False,
        ),
        Table(
            "user_roles",
            ("id",),
            {
                "id": _UUID,
                "user_id": _UUID,
                "role": _TEXT,
                "room_id": _NO_UUID,
                "granted_by": _NO_UUID,
                "valid_from": _TIME,
                "valid_to": _NO_TIME,
            }
            | _STAMPS,
        ),
        Table(
            "data_access_log",
            ("id",),
            {"id": _UUID, "at": _TIME, "user_id": _UUID, "room_id": _UUID, "purpose": _TEXT, "rows_read": _WHOLE}
            | _STAMPS,
            keeps_history=False,
        ),
    )
}
