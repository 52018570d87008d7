{{ config(
    unique_key='id',
    indexes=[{'columns': ['agent_id']}, {'columns': ['pool_id']}, {'columns': ['load_id']}],
) }}

with landed as (
    select
        *,
        coalesce(added_at, '-infinity') as counted_from,
        coalesce(case when left_at >= added_at then left_at end, 'infinity') as counted_to
    from {{ ref('stg_calls__agent_pool_members') }} as landed
    where id is not null and pool_id is not null and agent_id is not null and {{ load_window('landed') }}
)

select
    landed.id,
    landed.pool_id,
    landed.agent_id,
    landed.counted_from as added_at,
    landed.counted_to as left_at,
    landed.created_at,
    landed.updated_at,
    landed.removed_at is not null as is_deleted,
    landed.removed_at as deleted_at,
    landed.loaded_at as last_sync_at,

    -- An agent who leaves a pool today changes nothing of last year.
    {% if is_incremental() -%}
    case
        when known.id is null or known.is_deleted or landed.removed_at is not null or known.added_at <> landed.counted_from
            or known.agent_id <> landed.agent_id or known.pool_id <> landed.pool_id
            then least(known.added_at, landed.counted_from)
        else least(known.left_at, landed.counted_to)
    end as changed_from,
    {%- else -%}
    landed.counted_from as changed_from,
    {%- endif %}
    landed.load_id
from landed
{%- if is_incremental() %}
left join {{ this }} as known on known.id = landed.id
{%- endif %}
