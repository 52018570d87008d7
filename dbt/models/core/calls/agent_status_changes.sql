{{ config(
    unique_key='id',
    indexes=[
        {'columns': ['agent_id', 'changed_at', 'id']},
        {'columns': ['created_local_date']},
        {'columns': ['load_id']},
    ],
) }}

with landed as (
    {{ newest_landed(ref('stg_calls__agent_status_changes'), 'load_id desc, changed_at desc nulls last') }}
)

select
    id,
    agent_id,
    from_status,
    to_status,
    reason,
    changed_at,
    created_at,
    updated_at,
    removed_at is not null as is_deleted,
    removed_at as deleted_at,
    loaded_at as last_sync_at,

    case when {{ has_unknown_value({'to_status': 'agent_status'}) }} then 'unknown' else coalesce(to_status, 'unknown') end as status,
    {{ is_from_the_future('changed_at', 'landed') }} as is_from_the_future,
    {{ local_time('coalesce(changed_at, created_at, loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_value': has_unknown_value({'to_status': 'agent_status', 'from_status': 'agent_status'}),
        'from_the_future': is_from_the_future('changed_at', 'landed'),
    }) }} as quality_rules,
    load_id
from landed
