with snapshots as (
    select distinct on (records.organization_id, local.local_date)
        records.organization_id,
        organizations.name as organization_name,
        local.local_date,
        records.value::double precision as mrr
    from {{ ref('call_business_records') }} as records
    left join {{ ref('call_directory') }} as organizations
        on organizations.kind = 'organization' and organizations.id = records.organization_id
    cross join lateral (
        select
            (records.created_at at time zone coalesce(organizations.timezone, '{{ account_timezone() }}'))::date as local_date
    ) as local
    where records.entity = 'mrr_snapshots'
        and records.organization_id is not null
        and records.created_at is not null
        and records.value is not null
        and not records.is_deleted
    order by records.organization_id, local.local_date, records.created_at desc, records.id
)

select
    today.local_date,
    {{ source_key('calls', 'today.organization_id') }} as organization_id,
    coalesce(today.organization_name, today.organization_id) as organization_name,
    today.mrr,
    today.mrr - yesterday.mrr as mrr_change,
    {{ percent_change('today.mrr', 'yesterday.mrr') }} as mrr_change_pct
from snapshots as today
left join snapshots as yesterday
    on yesterday.organization_id = today.organization_id and yesterday.local_date = today.local_date - 1
