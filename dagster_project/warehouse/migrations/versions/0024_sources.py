"""Each source under its name: `source` is part of every key in ops, and each table of raw says whose records it holds.

Nothing is lost: what stands belongs to B2Chat ("b2chat") or to its console's audit export ("b2chat_audit").
"""

from alembic import op

revision = "0024"
down_revision = "0023"

KEYED = (
    "ops.sync_states",
    "ops.sync_windows",
    "ops.sync_checkpoints",
    "ops.sync_logs",
    "ops.page_loads",
    "ops.field_catalog",
    "ops.api_response_logs",
    "ops.api_usage",
    "raw.quarantine",
)
WITH_ENTITY = [table for table in KEYED if table not in ("ops.api_response_logs", "ops.api_usage")]
RENAMED = {
    "chats": "b2chat_chats",
    "chat_versions": "b2chat_chat_versions",
    "contacts": "b2chat_contacts",
    "contact_versions": "b2chat_contact_versions",
}


def upgrade() -> None:
    for table in KEYED:
        # With a default, so that no row is rewritten; then without one, because whoever writes must say it.
        op.execute(f"alter table {table} add column source text not null default 'b2chat'")
        op.execute(f"alter table {table} alter column source drop default")
    for table in WITH_ENTITY:
        op.execute(
            f"update {table} set source = 'b2chat_audit', entity_type = 'messages' "  # noqa: S608
            "where entity_type = 'audit'"
        )
    _windows_by_name()
    _keys("source, entity_type")
    _data_source()
    op.execute("create index page_loads_source_idx on ops.page_loads (source, load_id)")
    op.execute("alter table ops.notifications add column source text")
    op.execute("""
        update ops.notifications set
            source = case split_part(metadata ->> 'key', ':', 2) when 'audit' then 'b2chat_audit' else 'b2chat' end,
            metadata = jsonb_set(metadata, '{key}', to_jsonb(replace(regexp_replace(
                metadata ->> 'key', '^(\\w+):', '\\1:b2chat:'), ':b2chat:audit', ':b2chat_audit:messages')))
        where metadata ->> 'key' ~ '^(failing|stale|quarantine):'
    """)
    op.execute("comment on column ops.notifications.source is 'The source that is in trouble; NULL where none is'")
    for old, new in RENAMED.items():
        _rename(old, new)
    op.execute("comment on table ops.field_catalog is 'Every field, and type of it, that a source ever sent'")


def downgrade() -> None:
    for table in WITH_ENTITY:
        op.execute(f"delete from {table} where source not in ('b2chat', 'b2chat_audit')")  # noqa: S608
        op.execute(f"update {table} set entity_type = 'audit' where source = 'b2chat_audit'")  # noqa: S608
    for old, new in RENAMED.items():
        _rename(new, old)
    op.execute("""
        update ops.notifications set metadata = jsonb_set(metadata, '{key}', to_jsonb(regexp_replace(replace(
            metadata ->> 'key', ':b2chat_audit:messages', ':b2chat:audit'), ':b2chat:', ':')))
        where metadata ->> 'key' ~ '^(failing|stale|quarantine):'
    """)
    op.execute("alter table ops.notifications drop column source cascade")
    op.execute("delete from ops.data_source where source <> 'b2chat'")
    op.execute("""
        alter table ops.data_source drop constraint data_source_pkey, drop column source cascade,
            add column only_row boolean primary key default true check (only_row),
            add constraint data_source_kind_check check (kind in ('b2chat', 'sandbox'))
    """)
    _keys("entity_type")
    op.execute("alter table ops.page_loads drop column window_name cascade")
    op.execute("alter table ops.sync_checkpoints drop column window_name cascade")
    op.execute("delete from ops.sync_windows where window_day is null or total is null")
    op.execute("""
        alter table ops.sync_windows drop column window_name cascade, alter column total set not null,
            add primary key (entity_type, window_day)
    """)
    op.execute("drop index ops.page_loads_source_idx")
    for table in KEYED:
        op.execute(f"alter table {table} drop column source cascade")
    op.execute("alter table ops.api_usage add primary key (account, usage_day)")


def _windows_by_name() -> None:
    """A window is known by its name, because not every source is read by day."""
    op.execute("alter table ops.sync_windows drop constraint sync_windows_pkey")
    op.execute("alter table ops.sync_windows add column window_name text")
    op.execute("update ops.sync_windows set window_name = window_day::text")
    op.execute("""
        alter table ops.sync_windows add primary key (source, entity_type, window_name),
            alter column window_day drop not null, alter column total drop not null
    """)
    op.execute("create index sync_windows_day_idx on ops.sync_windows (source, entity_type, window_day)")
    op.execute("comment on table ops.sync_windows is 'Windows (days, files) that were fully read, and when last'")
    op.execute("comment on column ops.sync_windows.window_day is 'The day, where the window is one'")
    op.execute("alter table ops.sync_checkpoints add column window_name text")
    op.execute("update ops.sync_checkpoints set window_name = split_part(checkpoint, ' offset ', 1)")
    op.execute("alter table ops.page_loads add column window_name text")
    op.execute("comment on column ops.page_loads.window_name is 'What was read, where it is no range of days'")


def _keys(columns: str) -> None:
    """Keys and indexes over `columns`, which begin each of them."""
    op.execute("alter table ops.sync_states drop constraint if exists sync_states_entity_type_key")
    op.execute("alter table ops.sync_states drop constraint if exists sync_states_source_entity_type_key")
    op.execute(f"alter table ops.sync_states add unique ({columns})")
    op.execute("alter table ops.field_catalog drop constraint field_catalog_pkey")
    op.execute(f"alter table ops.field_catalog add primary key ({columns}, path, json_type)")
    op.execute("""
        alter table raw.quarantine drop constraint if exists quarantine_entity_type_content_hash_rule_key,
            drop constraint if exists quarantine_source_entity_type_content_hash_rule_key
    """)
    op.execute(f"alter table raw.quarantine add unique ({columns}, content_hash, rule)")
    if columns.startswith("source"):
        op.execute("alter table ops.api_usage drop constraint api_usage_pkey")
        op.execute("alter table ops.api_usage add primary key (source, account, usage_day)")
    for table in ("sync_logs", "sync_checkpoints"):
        op.execute(f"drop index ops.{table}_entity_type_idx")
        op.execute(f"create index {table}_entity_type_idx on ops.{table} ({columns})")
    op.execute("drop index ops.sync_checkpoints_active_idx")
    window = "window_name" if columns.startswith("source") else "checkpoint"
    op.execute(
        f"create index sync_checkpoints_active_idx on ops.sync_checkpoints ({columns}, {window}) "
        "where status = 'active'"
    )


def _data_source() -> None:
    op.execute("""
        alter table ops.data_source drop constraint data_source_pkey, drop column only_row,
            drop constraint data_source_kind_check,
            add column source text not null default 'b2chat'
    """)
    op.execute("alter table ops.data_source alter column source drop default, add primary key (source)")
    op.execute(
        "comment on table ops.data_source is "
        "'One row per source, what answers as it: an account and the sandbox are never mixed'"
    )


def _rename(old: str, new: str) -> None:
    op.execute(f"""
        do $$ declare one record; begin
            for one in select relation.relname from pg_index
                inner join pg_class as relation on relation.oid = pg_index.indexrelid
                where pg_index.indrelid = 'raw.{old}'::regclass
            loop
                execute format('alter index raw.%I rename to %I', one.relname, replace(one.relname, '{old}', '{new}'));
            end loop;
            execute 'alter table raw.{old} rename to {new}';
        end $$
    """)  # noqa: S608
