"""Landing tables (raw) and the logs and states of synchronization (ops)."""

from alembic import op

revision = "0001"
down_revision = None

ENTITIES = {"chat": "chats", "contact": "contacts"}


def upgrade() -> None:
    op.execute("create schema if not exists raw")
    op.execute("create schema if not exists dagster")
    for entity, table in ENTITIES.items():
        _landing_tables(entity, table)
    op.execute("create index chat_versions_superseded_by_idx on raw.chat_versions (superseded_by_load_id)")
    # Chats that may still change, by creation day: what a sync reads again however old they are.
    op.execute("""
        create index chats_not_final_idx on raw.chats ((payload ->> 'created_at'))
        where payload ->> 'status' is distinct from 'CLOSED'
          and payload ->> 'status' is distinct from 'COMPLETED_POLL'
          and payload ->> 'status' is distinct from 'ABANDONED_POLL'
    """)
    op.execute("""
        create table raw.quarantine (
            quarantine_id bigint generated always as identity primary key,
            entity_type text not null,
            record_key text,
            rule text not null,
            detail text not null,
            payload_bytes bytea not null,
            content_hash text not null,
            load_id bigint not null,
            window_from date,
            window_to date,
            page_offset integer not null,
            position integer not null,
            quarantined_at timestamptz not null,
            resolved_at timestamptz,
            unique (entity_type, content_hash, rule)
        )
    """)
    op.execute(
        "comment on table raw.quarantine is "
        "'Records that could not be read: their exact bytes, the rule they broke and where they came from'"
    )
    _page_loads()
    _dictionary_tables()
    _bookkeeping_tables()


def downgrade() -> None:
    op.execute("""
        drop table ops.build_watermarks, ops.data_source, ops.api_usage, ops.sync_windows, ops.sync_states,
                   ops.sync_logs, ops.page_loads
    """)
    op.execute("drop schema raw cascade")


def _landing_tables(entity: str, table: str) -> None:
    op.execute(f"""
        create table raw.{table} (
            {entity}_id text primary key,
            content_hash text not null,
            payload jsonb not null,
            payload_bytes bytea,
            cleaned jsonb,
            version integer not null,
            load_id bigint not null,
            first_load_id bigint not null,
            loaded_at timestamptz not null
        )
    """)
    op.execute(f"create index {table}_load_id_idx on raw.{table} (load_id)")
    op.execute(f"""
        create table raw.{entity}_versions (
            {entity}_id text not null,
            load_id bigint not null,
            content_hash text not null,
            payload jsonb not null,
            payload_bytes bytea,
            cleaned jsonb,
            version integer not null,
            loaded_at timestamptz not null,
            superseded_by_load_id bigint not null,
            primary key ({entity}_id, load_id)
        )
    """)
    op.execute(f"comment on table raw.{table} is 'The newest version of each {entity}, as the API gave it'")
    op.execute(f"comment on table raw.{entity}_versions is 'Superseded versions of {table}'")
    op.execute(
        f"comment on column raw.{table}.payload_bytes is 'The exact bytes, only where the payload had to be cleaned'"
    )
    op.execute(f"comment on column raw.{table}.load_id is 'The page load (ops.page_loads) that brought this version'")


def _page_loads() -> None:
    op.execute("""
        create table ops.page_loads (
            load_id bigint generated always as identity primary key,
            sync_id text not null,
            entity_type text not null,
            window_from date,
            window_to date,
            page_offset integer not null,
            record_count integer not null,
            exported integer,
            total integer,
            new_count integer not null,
            changed_count integer not null,
            unchanged_count integer not null,
            quarantined_count integer not null,
            response_bytes bigint not null,
            request_ms integer not null,
            loaded_at timestamptz not null
        )
    """)
    op.execute("create index page_loads_sync_id_idx on ops.page_loads (sync_id)")
    op.execute("comment on table ops.page_loads is 'One row per page landed; load_id stamps the rows it brought'")


def _dictionary_tables() -> None:
    op.execute("""
        create table ops.sync_logs (
            id text primary key default gen_random_uuid()::text,
            user_id text not null,
            entity_type text not null,
            operation text not null,
            record_count integer not null,
            status text not null check (status in ('success', 'error', 'partial', 'in_progress')),
            started_at timestamptz not null,
            completed_at timestamptz,
            error_message text,
            metadata jsonb
        )
    """)
    for column in ("user_id", "entity_type", "status"):
        op.execute(f"create index sync_logs_{column}_idx on ops.sync_logs ({column})")
    op.execute("""
        create table ops.sync_states (
            id text primary key default gen_random_uuid()::text,
            entity_type text not null unique,
            last_sync_timestamp timestamptz,
            last_synced_id text,
            last_sync_offset integer,
            sync_status text not null check (sync_status in ('idle', 'running', 'error', 'paused')),
            total_records integer not null default 0,
            successful_records integer not null default 0,
            failed_records integer not null default 0,
            sync_duration integer,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now()
        )
    """)
    op.execute("comment on column ops.sync_states.sync_duration is 'Last sync duration in milliseconds'")


def _bookkeeping_tables() -> None:
    op.execute("""
        create table ops.sync_windows (
            entity_type text not null,
            window_day date not null,
            read_at timestamptz not null,
            sync_id text not null,
            record_count integer not null,
            total integer not null,
            primary key (entity_type, window_day)
        )
    """)
    op.execute("comment on table ops.sync_windows is 'Creation days that were read whole, and when last'")
    op.execute("""
        create table ops.api_usage (
            account text not null,
            usage_day date not null,
            request_count integer not null,
            primary key (account, usage_day)
        )
    """)
    op.execute("comment on table ops.api_usage is 'Requests sent a day: the ration holds across restarts'")
    op.execute("""
        create table ops.data_source (
            only_row boolean primary key default true check (only_row),
            kind text not null check (kind in ('b2chat', 'sandbox')),
            base_url text not null,
            first_used_at timestamptz not null
        )
    """)
    op.execute(
        "comment on table ops.data_source is 'What fills this warehouse: an account and the sandbox are never mixed'"
    )
    op.execute("""
        create table ops.build_watermarks (
            model text primary key,
            load_id bigint not null,
            after_load_id bigint not null,
            built_at timestamptz not null
        )
    """)
    op.execute(
        "comment on table ops.build_watermarks is "
        "'How far each incremental dbt model has read, and after which load its last build that read began'"
    )
