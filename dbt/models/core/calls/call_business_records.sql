{{ config(
    unique_key=['entity', 'id'],
    indexes=[{'columns': ['entity', 'organization_id', 'created_at']}, {'columns': ['load_id']}],
) }}

-- An event is known by its id; its table's key has the month beside it.
select distinct on (entity, id)
    entity,
    id,
    organization_id,
    kind,
    value,
    created_at,
    updated_at,
    removed_at is not null as is_deleted,
    removed_at as deleted_at,
    loaded_at as last_sync_at,
    load_id
from {{ ref('stg_calls__business_records') }} as landed
where {{ load_window('landed') }}
order by entity, id, load_id desc
