"""Notifications are episodes, with a kind and a subject, and each message about one is kept until it was delivered."""

from alembic import op

revision = "0031"
down_revision = "0030"

COMMENTS = {
    "notifications": {
        "type": "How bad it is: error or warning; info where nothing is wrong",
        "created_at": "When the episode began",
        "is_read": "Whether nobody need look: it is over, or somebody has acknowledged it",
        "message": "What is known of it, for those who may read the warehouse; never sent anywhere",
        "kind": "What kind of trouble; NULL for what was written before there were kinds",
        "subject": "Whose trouble: source/entity, a job, a metric. Never a person",
        "value": "Its size, where it has one: records in quarantine, share of the budget, the value of a KPI",
        "last_seen_at": "When it was last seen",
        "recovered_at": "When it was over; NULL while it lasts",
        "acknowledged_at": "When somebody said that they know: no reminders from then on",
        "times_opened": "How often it came back soon after it was over, and once",
    },
    "notification_deliveries": {
        "event": "opened, reminder or recovered; report for the weekly report",
        "value": "Size of the trouble when the message was written",
        "status": "pending, sent, or failed when it was given up",
        "attempts": "How often it was tried",
        "due_at": "When it is tried next; while it is being sent, when it is taken for lost",
        "error": "Why the last try failed: a kind of fault or a status code, nothing that the receiver said",
    },
}


def upgrade() -> None:
    op.execute("""
        alter table ops.notifications
            add column kind text,
            add column subject text,
            add column value double precision,
            add column last_seen_at timestamptz,
            add column recovered_at timestamptz,
            add column acknowledged_at timestamptz,
            add column times_opened integer not null default 1
    """)
    # What is unread goes on as an episode: it is neither written nor told a second time.
    op.execute("""
        with unread as (
            select distinct on (split_part(metadata ->> 'key', ':', 1), source, split_part(metadata ->> 'key', ':', 3))
                id, string_to_array(metadata ->> 'key', ':') as key
            from ops.notifications
            where not is_read and metadata ->> 'key' ~ '^(failing|stale|quarantine):'
            order by
                split_part(metadata ->> 'key', ':', 1), source, split_part(metadata ->> 'key', ':', 3),
                created_at desc
        )
        update ops.notifications as notifications set
            kind = case unread.key[1]
                when 'failing' then 'sync_failing' when 'stale' then 'freshness_lost' else 'quarantine_grew'
            end,
            subject = unread.key[2] || '/' || unread.key[3],
            value = unread.key[4]::double precision,
            last_seen_at = notifications.created_at
        from unread
        where unread.id = notifications.id
    """)
    op.execute(
        "create unique index notifications_open_idx on ops.notifications (kind, subject) "
        "where recovered_at is null and kind is not null"
    )
    op.execute("""
        create table ops.notification_deliveries (
            delivery_id bigint generated always as identity primary key,
            notification_id text not null references ops.notifications (id) on delete cascade,
            channel text not null check (channel in ('webhook', 'email', 'apprise', 'report')),
            event text not null check (event in ('opened', 'reminder', 'recovered', 'report')),
            value double precision,
            status text not null default 'pending' check (status in ('pending', 'sent', 'failed')),
            attempts integer not null default 0,
            due_at timestamptz not null default now(),
            sent_at timestamptz,
            error text,
            created_at timestamptz not null default now()
        )
    """)
    op.execute("comment on table ops.notification_deliveries is 'One row per message about a notification and channel'")
    op.execute(
        "create index notification_deliveries_notification_id_idx on ops.notification_deliveries (notification_id)"
    )
    op.execute(
        "create unique index notification_deliveries_pending_idx "
        "on ops.notification_deliveries (notification_id, channel) where status = 'pending'"
    )
    op.execute("""
        create table ops.notification_mutes (
            mute_id bigint generated always as identity primary key,
            kind text not null,
            subject text,
            muted_until timestamptz not null,
            muted_by text not null,
            created_at timestamptz not null default now()
        )
    """)
    op.execute(
        "comment on table ops.notification_mutes is "
        "'One row per mute: of a kind, or of one subject of it, no message is sent until then'"
    )
    for table, columns in COMMENTS.items():
        for column, text in columns.items():
            op.execute(f"comment on column ops.{table}.{column} is '{text}'")


def downgrade() -> None:
    op.execute("drop table ops.notification_mutes, ops.notification_deliveries")
    # The code of before knows what is open by its key.
    op.execute("""
        update ops.notifications set metadata = coalesce(metadata, '{}'::jsonb) || jsonb_build_object(
            'key', concat_ws(
                ':',
                case kind when 'sync_failing' then 'failing' when 'freshness_lost' then 'stale' else 'quarantine' end,
                replace(subject, '/', ':'),
                case kind when 'quarantine_grew' then value::bigint::text end
            )
        )
        where kind in ('sync_failing', 'freshness_lost', 'quarantine_grew')
    """)
    op.execute("update ops.notifications set is_read = true where metadata ->> 'key' is null and kind is not null")
    op.execute("""
        alter table ops.notifications
            drop column kind cascade, drop column subject cascade, drop column value cascade,
            drop column last_seen_at cascade, drop column recovered_at cascade,
            drop column acknowledged_at cascade, drop column times_opened cascade
    """)
    for column in ("type", "created_at", "is_read", "message"):
        op.execute(f"comment on column ops.notifications.{column} is null")
