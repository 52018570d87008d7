"""What a sync over years keeps: checkpoints, raw answers, errors, notifications, field drift, soft deletion."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _sync_checkpoints()
    _api_response_logs()
    _error_logs()
    _notifications()
    op.execute("""
        create table ops.field_catalog (
            entity_type text not null,
            path text not null,
            json_type text not null,
            first_seen_at timestamptz not null,
            first_load_id bigint not null,
            primary key (entity_type, path, json_type)
        )
    """)
    op.execute("comment on table ops.field_catalog is 'Every field, and type of it, that B2Chat ever sent'")
    for table in ("chats", "contacts"):
        op.execute(f"alter table raw.{table} add column deleted_at timestamptz, add column deletion_reason text")
        op.execute(
            f"comment on column raw.{table}.deleted_at is "
            "'When a whole reading of its window no longer held the record; NULL when it came back'"
        )
        op.execute(f"create index {table}_deleted_idx on raw.{table} ({table[:-1]}_id) where deleted_at is not null")
    # Which loads brought chats that may still change. By load id alone, so that no payload is read to know it.
    op.execute("drop index raw.chats_not_final_idx")
    op.execute("""
        create index chats_not_final_idx on raw.chats (load_id)
        where payload ->> 'status' is distinct from 'CLOSED'
          and payload ->> 'status' is distinct from 'COMPLETED_POLL'
          and payload ->> 'status' is distinct from 'ABANDONED_POLL'
          and deleted_at is null
    """)
    op.execute("create index chats_created_day_idx on raw.chats (left(payload ->> 'created_at', 10))")
    op.execute(
        "alter table raw.quarantine add column attempts integer not null default 1, "
        "add column last_attempt_at timestamptz"
    )


def downgrade() -> None:
    op.execute("alter table raw.quarantine drop column attempts, drop column last_attempt_at")
    op.execute("drop index raw.chats_created_day_idx")
    op.execute("drop index raw.chats_not_final_idx")
    op.execute("""
        create index chats_not_final_idx on raw.chats ((payload ->> 'created_at'))
        where payload ->> 'status' is distinct from 'CLOSED'
          and payload ->> 'status' is distinct from 'COMPLETED_POLL'
          and payload ->> 'status' is distinct from 'ABANDONED_POLL'
    """)
    for table in ("chats", "contacts"):
        op.execute(f"alter table raw.{table} drop column deleted_at cascade, drop column deletion_reason cascade")
    op.execute(
        "drop table ops.field_catalog, ops.notifications, ops.error_logs, ops.api_response_logs, ops.sync_checkpoints"
    )


def _sync_checkpoints() -> None:
    op.execute("""
        create table ops.sync_checkpoints (
            id text primary key default gen_random_uuid()::text,
            sync_id text not null,
            entity_type text not null,
            total_records integer,
            processed_records integer not null default 0,
            successful_records integer not null default 0,
            failed_records integer not null default 0,
            failure_details jsonb,
            checkpoint text,
            status text not null check (status in ('active', 'completed', 'failed')),
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            completed_at timestamptz
        )
    """)
    for column in ("sync_id", "entity_type"):
        op.execute(f"create index sync_checkpoints_{column}_idx on ops.sync_checkpoints ({column})")
    op.execute(
        "create index sync_checkpoints_active_idx on ops.sync_checkpoints (entity_type, checkpoint) "
        "where status = 'active'"
    )
    op.execute("comment on table ops.sync_checkpoints is 'One row per window under way: how far it was landed'")


def _api_response_logs() -> None:
    op.execute("""
        create table ops.api_response_logs (
            id text not null default gen_random_uuid()::text,
            sync_id text not null,
            endpoint text not null,
            request_params jsonb not null,
            raw_response jsonb not null,
            raw_bytes bytea,
            response_size integer not null,
            record_count integer not null,
            api_timestamp timestamptz not null,
            created_at timestamptz not null default now(),
            primary key (created_at, id)
        ) partition by range (created_at)
    """)
    for column in ("sync_id", "endpoint", "created_at"):
        op.execute(f"create index api_response_logs_{column}_idx on ops.api_response_logs ({column})")
    op.execute(
        "comment on table ops.api_response_logs is "
        "'Whole answers of the API, a partition a day (UTC); old partitions are dropped'"
    )
    op.execute(
        "comment on column ops.api_response_logs.raw_bytes is "
        "'The exact bytes, only where the answer had to be cleaned to fit into jsonb'"
    )


def _error_logs() -> None:
    op.execute("""
        create table ops.error_logs (
            id text primary key default gen_random_uuid()::text,
            timestamp timestamptz not null default now(),
            level text not null check (level in ('error', 'warn', 'fatal', 'critical')),
            message text not null,
            error_code text,
            stack_trace text,
            user_id text,
            request_id text,
            correlation_id text,
            source text not null,
            metadata jsonb,
            created_at timestamptz not null default now()
        )
    """)
    op.execute("create index error_logs_timestamp_idx on ops.error_logs (timestamp desc)")
    for column in ("level", "user_id", "request_id", "correlation_id", "source"):
        op.execute(f"create index error_logs_{column}_idx on ops.error_logs ({column})")
    op.execute("comment on column ops.error_logs.correlation_id is 'The sync (ops.sync_logs.id) in which it happened'")


def _notifications() -> None:
    op.execute("""
        create table ops.notifications (
            id text primary key default gen_random_uuid()::text,
            user_id text not null,
            title text not null,
            message text not null,
            type text not null check (type in ('info', 'warning', 'error', 'success')),
            is_read boolean not null default false,
            metadata jsonb,
            created_at timestamptz not null default now()
        )
    """)
    for column in ("user_id", "is_read"):
        op.execute(f"create index notifications_{column}_idx on ops.notifications ({column})")
