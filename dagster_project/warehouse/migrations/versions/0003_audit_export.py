"""The console's audit export, the second source of messages: its files, its chats and its messages."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        create table raw.audit_files (
            file_hash text primary key,
            file_name text not null,
            format text not null,
            row_count integer not null,
            load_id bigint,
            landed_at timestamptz not null,
            error text
        )
    """)
    op.execute("comment on table raw.audit_files is 'Files of the audit export, each known by its content''s SHA-256'")
    op.execute("comment on column raw.audit_files.error is 'Why nothing of the file has landed; NULL when it has'")
    op.execute("""
        create table raw.audit_chats (
            chat_id text primary key,
            payload jsonb not null,
            file_hash text not null,
            load_id bigint not null,
            loaded_at timestamptz not null
        )
    """)
    op.execute("create index audit_chats_load_id_idx on raw.audit_chats (load_id)")
    op.execute("comment on table raw.audit_chats is 'What the audit export says of each chat, less its messages'")
    op.execute(
        "comment on column raw.audit_chats.load_id is 'The load that last changed the chat or brought a message of it'"
    )
    op.execute("""
        create table raw.audit_messages (
            chat_id text not null,
            row_id text not null,
            payload jsonb not null,
            payload_bytes bytea,
            cleaned jsonb,
            position integer not null,
            file_hash text not null,
            load_id bigint not null,
            loaded_at timestamptz not null,
            primary key (chat_id, row_id)
        )
    """)
    op.execute("create index audit_messages_load_id_idx on raw.audit_messages (load_id)")
    op.execute("comment on table raw.audit_messages is 'Rows of the audit export, a row a message'")
    op.execute(
        "comment on column raw.audit_messages.row_id is "
        "'Hash of chat, time, side, type and body, and a number among equal ones of one file'"
    )
    op.execute("comment on column raw.audit_messages.position is 'Row number in its file'")


def downgrade() -> None:
    op.execute("drop table raw.audit_messages, raw.audit_chats, raw.audit_files cascade")
