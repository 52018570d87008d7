{{ config(
    unique_key='id',
    indexes=[
        {'columns': ['call_id', 'offered_at']},
        {'columns': ['agent_id', 'offered_at']},
        {'columns': ['created_local_date']},
        {'columns': ['load_id']},
    ],
) }}

with landed as (
    {{ newest_landed(ref('stg_calls__call_offers'), 'load_id desc, call_created_at desc nulls last') }}
)

select
    id,
    call_id,
    call_created_at,
    agent_id,
    offered_at,
    outcome,
    case when decided_at < offered_at then null else decided_at end as decided_at,
    created_at,
    updated_at,
    removed_at is not null as is_deleted,
    removed_at as deleted_at,
    loaded_at as last_sync_at,

    {{ local_time('coalesce(offered_at, created_at, loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_value': has_unknown_value({'outcome': 'call_offer_outcome'}),
        'decided_before_offered': 'decided_at < offered_at',
    }) }} as quality_rules,
    load_id
from landed
