{{ config(
    unique_key='id',
    indexes=[
        {'columns': ['source_room_id']},
        {'columns': ['target_room_id']},
        {'columns': ['created_local_date']},
        {'columns': ['load_id']},
    ],
) }}

select
    id,
    source_room_id,
    target_room_id,
    escalation_reason,
    from_level,
    to_level,
    priority,
    created_by_user_id,
    assigned_to_user_id,
    status,
    resolution_notes,
    case when resolved_at < created_at then null else resolved_at end as resolved_at,
    created_at,
    updated_at,
    removed_at is not null as is_deleted,
    removed_at as deleted_at,
    loaded_at as last_sync_at,

    {{ local_time('coalesce(created_at, loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_value': has_unknown_value({
            'from_level': 'support_level', 'to_level': 'support_level', 'status': 'escalation_status'
        }),
        'resolved_before_created': 'resolved_at < created_at',
        'resolved_without_time': "status = 'resolved' and resolved_at is null",
        'from_the_future': is_from_the_future('created_at', 'landed'),
    }) }} as quality_rules,
    load_id
from {{ ref('stg_rooms__escalations') }} as landed
where {{ load_window('landed') }}
