"""The audit export's tables have the shape of all landing tables, and its files are windows that were read."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute("alter table raw.audit_messages rename to b2chat_audit_messages")
    op.execute("alter table raw.audit_chats rename to b2chat_audit_chats")
    for table in ("b2chat_audit_messages", "b2chat_audit_chats"):
        op.execute(f"""
            alter table raw.{table} add column content_hash text not null default '',
                add column version integer not null default 1, add column first_load_id bigint,
                add column deleted_at timestamptz, add column deletion_reason text, drop column file_hash cascade
        """)
        op.execute(f"update raw.{table} set first_load_id = load_id")  # noqa: S608
        op.execute(f"""
            alter table raw.{table} alter column content_hash drop default, alter column version drop default,
                alter column first_load_id set not null
        """)
    op.execute("alter table raw.b2chat_audit_chats add column payload_bytes bytea, add column cleaned jsonb")
    op.execute("update raw.b2chat_audit_messages set content_hash = split_part(row_id, '-', 1)")
    op.execute("""
        alter table raw.b2chat_audit_messages drop constraint audit_messages_pkey, add primary key (row_id)
    """)
    op.execute("create index b2chat_audit_messages_chat_id_idx on raw.b2chat_audit_messages (chat_id, position)")
    op.execute("alter index raw.audit_messages_load_id_idx rename to b2chat_audit_messages_load_id_idx")
    op.execute("alter index raw.audit_chats_load_id_idx rename to b2chat_audit_chats_load_id_idx")
    op.execute("alter table raw.b2chat_audit_chats rename constraint audit_chats_pkey to b2chat_audit_chats_pkey")
    op.execute("""
        update ops.page_loads as loads set window_name = files.file_hash || ' ' || files.file_name
        from raw.audit_files as files where files.load_id = loads.load_id
    """)
    op.execute("""
        insert into ops.sync_windows (source, entity_type, window_name, read_at, sync_id, record_count)
        select 'b2chat_audit', 'messages', file_hash || ' ' || file_name, landed_at, coalesce(loads.sync_id, ''),
            row_count
        from raw.audit_files as files left join ops.page_loads as loads using (load_id)
        where files.error is null
    """)
    # What could not be read stands in ops.sync_logs, and is tried again by each sync.
    op.execute("drop table raw.audit_files")


def downgrade() -> None:
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
    op.execute("""
        insert into raw.audit_files
        select distinct on (1) split_part(window_name, ' ', 1), substr(window_name, 66),
            lower(substring(window_name from '[^.]*$')), windows.record_count,
            (select max(load_id) from ops.page_loads as loads where loads.window_name = windows.window_name), read_at
        from ops.sync_windows as windows where source = 'b2chat_audit'
    """)
    op.execute("delete from ops.sync_windows where source = 'b2chat_audit'")
    op.execute("drop index raw.b2chat_audit_messages_chat_id_idx")
    op.execute("""
        alter table raw.b2chat_audit_messages drop constraint b2chat_audit_messages_pkey,
            add constraint audit_messages_pkey primary key (chat_id, row_id)
    """)
    op.execute("alter table raw.b2chat_audit_chats drop column payload_bytes cascade, drop column cleaned cascade")
    for new, old in (("b2chat_audit_messages", "audit_messages"), ("b2chat_audit_chats", "audit_chats")):
        op.execute(f"alter table raw.{new} add column file_hash text")
        op.execute(f"""
            update raw.{new} as landed set file_hash = coalesce((
                select split_part(window_name, ' ', 1) from ops.page_loads as loads
                where loads.load_id = landed.load_id), '')
        """)  # noqa: S608
        op.execute(f"""
            alter table raw.{new} alter column file_hash set not null, drop column content_hash cascade,
                drop column version cascade, drop column first_load_id cascade, drop column deleted_at cascade,
                drop column deletion_reason cascade
        """)
        op.execute(f"alter index raw.{new}_load_id_idx rename to {old}_load_id_idx")
        op.execute(f"alter table raw.{new} rename to {old}")
    op.execute("alter table raw.audit_chats rename constraint b2chat_audit_chats_pkey to audit_chats_pkey")
