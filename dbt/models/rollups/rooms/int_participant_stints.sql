{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'affected_by': 'int_affected_room_chats'},
    indexes=[
        {'columns': ['room_id', 'user_id'], 'unique': true},
        {'columns': ['chat_id']},
        {'columns': ['open_stints'], 'type': 'gist'},
        {'columns': ['edge_dates'], 'type': 'gin'},
        {'columns': ['load_id']},
    ],
) }}

with affected as (
    select
        chat_id,
        max(load_id) as load_id
    from {{ ref('int_affected_room_chats') }} as affected
    where {{ load_window('affected') }}
    group by chat_id
),

participants as (
    select
        participants.*,
        rooms.chat_id,
        rooms.room_type,
        affected.load_id as newest_load_id,
        'room_participants|' || participants.room_id || '|' || participants.user_id as entity_key
    from affected
    inner join {{ ref('rooms') }} as rooms on rooms.chat_id = affected.chat_id
    inner join {{ ref('room_participants') }} as participants on participants.room_id = rooms.id
    where not rooms.is_deleted
),

-- The row knows the last stint alone; those before it are in its history.
changes as (
    select
        entity_key,
        field,
        changed_at,
        old_value,
        new_value in ('active', 'muted') as is_present
    from {{ ref('room_state_changes') }}
    where entity_key in (select entity_key from participants) and field in ('status', 'joined_at')
),

first_joined as (
    select distinct on (entity_key)
        entity_key,
        {{ json_instant('old_value') }} as joined_at
    from changes
    where field = 'joined_at'
    order by entity_key, changed_at
),

moments as (
    select
        participants.entity_key,
        coalesce(first_joined.joined_at, participants.joined_at) as happened_at,
        true as is_present
    from participants
    left join first_joined on first_joined.entity_key = participants.entity_key

    union all

    select
        entity_key,
        changed_at,
        is_present
    from changes
    where field = 'status' and is_present is not null
),

spans as (
    select
        entity_key,
        is_present,
        happened_at as from_at,
        lead(happened_at) over (partition by entity_key order by happened_at, is_present desc) as until_at
    from moments
    where happened_at is not null
),

-- What ended without a word in the history ended when the row says, or at a time that is not known: then it counts for nothing.
stints as (
    select
        spans.entity_key,
        range_agg(tstzrange(spans.from_at, ends.until_at)) filter (
            where spans.from_at < ends.until_at or (ends.until_at is null and not ends.is_over)
        ) as stints
    from spans
    inner join participants on participants.entity_key = spans.entity_key
    cross join lateral (
        select
            coalesce(
                spans.until_at,
                case when participants.status in ('left', 'removed') then participants.left_at end,
                participants.deleted_at
            ) as until_at,
            participants.status in ('left', 'removed') or participants.is_deleted as is_over
    ) as ends
    where spans.is_present
    group by spans.entity_key
)

select
    participants.room_id,
    participants.user_id,
    participants.chat_id,
    participants.room_type,
    participants.role,
    participants.status,
    coalesce(stints.stints, '{}') as stints,
    -- Nobody has work in a room that is closed, though they never left it; and none with customers in a room without them.
    coalesce(stints.stints * lives.open_spans, '{}') as open_stints,
    -- By these a day finds who came and went: most who ever were in a room never left it.
    array(
        select distinct to_char({{ local_time('edge.at') }}, 'YYYY-MM-DD')
        from unnest(stints.stints) as stint
        cross join lateral (values (lower(stint)), (upper(stint))) as edge (at)
        where edge.at is not null
    ) as edge_dates,
    participants.last_read_at,
    counts.message_count::integer as message_count,
    counts.unread_count::integer as unread_count,
    participants.quality_rules,
    participants.newest_load_id as load_id
from participants
left join stints on stints.entity_key = participants.entity_key
left join {{ ref('int_room_lives') }} as lives on lives.room_id = participants.room_id
cross join lateral (
    select
        count(*) filter (where messages.sender_id = participants.user_id) as message_count,
        count(*) filter (
            where messages.sender_id <> participants.user_id
            and messages.message_type <> 'system'
            -- What a robot writes for colleagues no guest can read.
            and (
                messages.message_type <> 'robot' or participants.role is distinct from 'guest'
                or messages.is_robot_visible_to_guests
            )
            and messages.created_at > coalesce(participants.last_read_at, '-infinity')
            and messages.created_at >= lower(stints.stints)
            and messages.created_at <= coalesce(upper(stints.stints), 'infinity')
        ) as unread_count
    from {{ ref('room_messages') }} as messages
    where messages.room_id = participants.room_id and messages.is_counted
) as counts
