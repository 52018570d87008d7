{{ config(
    unique_key='id',
    indexes=[{'columns': ['agent_id']}, {'columns': ['pool_id']}, {'columns': ['load_id']}],
) }}

select
    id,
    pool_id,
    agent_id,
    coalesce(added_at, '-infinity') as added_at,
    coalesce(case when left_at >= added_at then left_at end, 'infinity') as left_at,
    created_at,
    updated_at,
    removed_at is not null as is_deleted,
    removed_at as deleted_at,
    loaded_at as last_sync_at,
    load_id
from {{ ref('stg_calls__agent_pool_members') }} as landed
where id is not null and pool_id is not null and agent_id is not null and {{ load_window('landed') }}
