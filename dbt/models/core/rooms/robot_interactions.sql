{{ config(
    unique_key='id',
    indexes=[
        {'columns': ['message_id']},
        {'columns': ['robot_id', 'created_at']},
        {'columns': ['created_local_date']},
        {'columns': ['load_id']},
    ],
) }}

with landed as (
    {{ newest_landed(ref('stg_rooms__robot_interactions'), 'message_created_at desc nulls last') }}
)

-- What was asked and answered stays in raw: it is text of customers, and no mart reads it.
select
    id,
    message_id,
    message_created_at,
    robot_id,
    status,
    is_handover,
    error_message is not null as has_error_message,
    started_at,
    case when completed_at < started_at then null else completed_at end as completed_at,
    created_at,
    updated_at,
    removed_at is not null as is_deleted,
    removed_at as deleted_at,
    loaded_at as last_sync_at,

    {{ local_time('coalesce(started_at, created_at, loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_value': has_unknown_value({'status': 'robot_status'}),
        'completed_before_started': 'completed_at < started_at',
    }) }} as quality_rules,
    load_id
from landed
