"""Rooms land: a table of raw for each of theirs, and how far a source is read that is known by a watermark."""

from alembic import op

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
COLUMNS = {
    "row_key": "The values of its key, in the key''s order, joined by |",
    "conversation_id": "The id of its room; NULL where its row names none",
    "payload": "The row as JSON, without secrets",
    "content_hash": "Tells a changed row from an unchanged one",
    "row_xid": "The transaction at the source that wrote it; NULL where that is not known",
    "load_id": "The load (ops.page_loads) that brought, changed or deleted it last",
    "deleted_at": "When it was deleted at the source; NULL while it is there. Soft deletions are in the payload",
}
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
    for table in TABLES:
        op.execute(f"""
            create table raw.rooms_{table} (
                row_key text primary key,
                conversation_id text,
                payload jsonb not null,
                content_hash text not null,
                row_xid bigint,
                load_id bigint not null,
                first_load_id bigint not null,
                loaded_at timestamptz not null,
                deleted_at timestamptz,
                deletion_reason text
            )
        """)
        op.execute(f"create index rooms_{table}_load_id_idx on raw.rooms_{table} (load_id)")
        op.execute(f"comment on table raw.rooms_{table} is 'Each row of rooms.{table}, as it was read last'")
        for column, words in COLUMNS.items():
            op.execute(f"comment on column raw.rooms_{table}.{column} is '{words}'")
    for column, (kind, words) in STATE.items():
        op.execute(f"alter table ops.sync_states add column {column} {kind}")
        op.execute(f"comment on column ops.sync_states.{column} is '{words}'")


def downgrade() -> None:
    for column in STATE:
        op.execute(f"alter table ops.sync_states drop column {column} cascade")
    for table in TABLES:
        op.execute(f"drop table raw.rooms_{table} cascade")
    for table in (
        "ops.sync_states",
        "ops.sync_windows",
        "ops.sync_checkpoints",
        "ops.sync_logs",
        "ops.page_loads",
        "ops.field_catalog",
        "ops.data_source",
        "raw.quarantine",
    ):
        op.execute(f"delete from {table} where source = 'rooms'")  # noqa: S608
