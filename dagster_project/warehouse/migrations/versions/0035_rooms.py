"""Rooms land: a table of raw for each of theirs, and how far a source is read that is known by a watermark."""

from alembic import op

from dagster_project.warehouse.migrations.copied import create_tables, drop_tables

revision = "0035"
down_revision = "0034"

TABLES = (
    "organizations",
    "users",
    "chat_rooms",
    "room_participants",
    "messages",
    "chat_file_attachments",
    "robot_interactions",
    "escalations",
    "conversation_conclusions",
    "user_presence_changes",
    "data_access_log",
    "archives",
    "users_history",
    "chat_rooms_history",
    "room_participants_history",
    "messages_history",
    "chat_file_attachments_history",
    "robot_interactions_history",
    "escalations_history",
    "conversation_conclusions_history",
    "user_roles_history",
)
STATE = {
    "watermark_mode": (
        "text",
        "By what its source knows which rows are new: row_xid, xmin or updated_at; NULL where it is read otherwise",
    ),
    "watermark": ("text", "Up to where all of it has landed, in the source''s own words"),
    "may_miss": ("boolean", "Whether rows may be missed that way; NULL where it is read otherwise"),
    "source_system": ("text", "The server that it was read from: another one, or a restored one, is read whole"),
    "ceiling_age_seconds": (
        "integer",
        "At the last sync: for how long a transaction that was open then has held back what can be read",
    ),
    "ceiling_holder_pid": ("integer", "The process at the source whose transaction that is; NULL where none is"),
}


def upgrade() -> None:
    create_tables("rooms", TABLES, "room")
    for column, (kind, words) in STATE.items():
        op.execute(f"alter table ops.sync_states add column {column} {kind}")
        op.execute(f"comment on column ops.sync_states.{column} is '{words}'")


def downgrade() -> None:
    for column in STATE:
        op.execute(f"alter table ops.sync_states drop column {column} cascade")
    drop_tables("rooms", TABLES)
