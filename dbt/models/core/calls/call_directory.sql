{{ config(
    unique_key=['kind', 'id'],
    indexes=[{'columns': ['id']}, {'columns': ['load_id']}],
) }}

-- A zone that Postgres does not know is none. Its list is long to read, and read only where an organization came.
with zones as (
    select
        landed.id,
        landed.timezone
    from {{ ref('stg_calls__directory') }} as landed
    where landed.kind = 'organization' and {{ load_window('landed') }}
        and landed.timezone in (select name from pg_timezone_names)
)

select
    landed.kind,
    landed.id,
    landed.organization_id,
    coalesce({{ clean_text('landed.name') }}, landed.id) as name,
    case when landed.kind = 'organization' then coalesce(zones.timezone, '{{ account_timezone() }}') end as timezone,
    landed.domain,
    landed.color,
    landed.is_active,
    landed.is_success,
    landed.created_at,
    landed.updated_at,
    landed.removed_at is not null as is_deleted,
    landed.removed_at as deleted_at,
    landed.loaded_at as last_sync_at,

    {{ local_time('coalesce(landed.created_at, landed.loaded_at)') }}::date as created_local_date,
    case when landed.kind = 'organization' and zones.id is null then 'unknown_timezone' end as quality_rules,
    landed.load_id
from {{ ref('stg_calls__directory') }} as landed
left join zones on landed.kind = 'organization' and zones.id = landed.id
where {{ load_window('landed') }}
