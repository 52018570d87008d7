{{ config(
    unique_key='entity_key',
    indexes=[
        {'columns': ['entity_key']},
        {'columns': ['room_id']},
        {'columns': ['changed_at']},
        {'columns': ['load_id']},
    ],
) }}

{#- What a row is now: the value that its last change came to. -#}
{%- set entities = {
    'users': ('room_users', 'id'),
    'chat_rooms': ('rooms', 'id'),
    'room_participants': ('room_participants', "room_id || '|' || user_id"),
    'messages': ('room_messages', 'id'),
    'chat_file_attachments': ('room_attachments', 'id'),
    'robot_interactions': ('robot_interactions', 'id'),
    'escalations': ('escalations', 'id'),
    'conversation_conclusions': ('rooms', 'id'),
} %}
{#- Their values are told; of texts and all else only that they changed. -#}
{%- set told_fields = [
    'room_type', 'status', 'escalation_level', 'parent_room_id', 'organization_id', 'creator_id', 'is_private',
    'guest_access_allowed', 'max_participants', 'role', 'can_send_messages', 'can_invite_others', 'can_see_history', 'joined_at',
    'left_at', 'last_read_at', 'deleted_at', 'message_type', 'delivery_status', 'robot_id', 'is_handover', 'started_at',
    'completed_at', 'target_room_id', 'from_level', 'to_level', 'priority', 'assigned_to_user_id', 'resolved_at', 'outcome',
    'concluded_at', 'is_confirmed_by_customer', 'account_type_informal', 'current_account_status', 'is_email_verified',
] %}

with history as (
    select
        *,
        entity || '|' || entity_id as entity_key
    from {{ ref('stg_rooms__history') }} as history
    where history_id is not null and entity_id is not null and changed_at is not null and {{ load_window('history') }}
),

-- A row that changed again, or whose present values came later than its history did, has another end of its last change.
affected as (
    select entity_key from history
    {%- if is_incremental() %}
    {%- for entity, (relation, id) in entities.items() %}

    union distinct

    select '{{ entity }}|' || {{ id }} as entity_key from {{ ref(relation) }} as changed
    where {{ load_window('changed') }}
    {%- endfor %}
    {%- endif %}
),

new_changes as (
    select
        history.history_id,
        history.entity,
        history.entity_id,
        history.entity_key,
        history.room_id,
        history.operation,
        field.field,
        case when field.field in ('{{ told_fields | join("', '") }}') then history.row_before ->> field.field end as old_value,
        history.changed_at,
        history.changed_by_user_id,
        history.load_id
    from history
    -- What is deleted, or changes in its bookkeeping alone, is one change of the whole row.
    cross join lateral unnest(coalesce(
        nullif(array(
            select changed.field from unnest(history.changed_columns) as changed (field)
            where history.operation = 'UPDATE' and changed.field not in ('updated_at', 'row_xid')
        ), '{}'),
        array['row']
    )) as field (field)
),

changes as (
    select * from new_changes
    {%- if is_incremental() %}

    union all

    select
        known.history_id, known.entity, known.entity_id, known.entity_key, known.room_id, known.operation, known.field,
        known.old_value, known.changed_at, known.changed_by_user_id, known.load_id
    from {{ this }} as known
    where known.entity_key in (select entity_key from affected)
        and known.history_id not in (select history_id from history)
    {%- endif %}
),

present as (
    {%- for entity, (relation, id) in entities.items() %}
    select
        '{{ entity }}|' || {{ id }} as entity_key,
        to_jsonb(rows) as row_now
    from {{ ref(relation) }} as rows
    where {{ id }} in (select entity_id from changes where entity = '{{ entity }}')
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
)

select
    changes.history_id || '|' || changes.field as id,
    changes.history_id,
    changes.entity,
    changes.entity_id,
    changes.entity_key,
    changes.room_id,
    changes.operation,
    changes.field,
    changes.old_value,
    coalesce(
        lead(changes.old_value) over later,
        case
            when changes.operation = 'UPDATE' and changes.field in ('{{ told_fields | join("', '") }}')
                and lead(changes.history_id) over later is null
                then present.row_now ->> changes.field
        end
    ) as new_value,
    changes.changed_at,
    changes.changed_by_user_id,
    changes.load_id
from changes
left join present on present.entity_key = changes.entity_key
window later as (
    partition by changes.entity_key, changes.field order by changes.changed_at, changes.history_id
)
