-- A month is due when its last day is so old; the audit trail stays where it is until it goes.
with months as (
    select
        payload ->> 'table' as table_name,
        payload ->> 'partition' as partition_name,
        {{ json_instant("(payload ->> 'from')") }} as starts_at,
        {{ json_instant("(payload ->> 'to')") }} as ends_at,
        payload ->> 'state' as state,
        {{ json_integer("(payload ->> 'rows')") }} as row_count,
        {{ json_integer("(payload ->> 'bytes')") }} as byte_count,
        {{ json_instant("(payload ->> 'verified_at')") }} as verified_at,
        {{ json_instant("(payload ->> 'dropped_at')") }} as dropped_at,
        (payload ->> 'table') like '%\_history' as is_audit
    from {{ source('rooms', 'archives') }}
    where deleted_at is null
),

planned as (
    select
        *,
        case when not is_audit then ends_at + interval '{{ var('room_online_years') | int }} years' end as due_at,
        ends_at + case
            when is_audit then interval '{{ var('room_audit_years') | int }} years'
            else interval '{{ (var('room_online_years') | int) + (var('room_cold_years') | int) }} years'
        end as purge_at
    from months
)

select
    planned.table_name,
    (planned.starts_at at time zone 'UTC')::date as month_start,
    planned.partition_name,
    planned.state,
    planned.row_count,
    planned.byte_count,
    planned.due_at,
    coalesce(
        planned.due_at + interval '7 days' < known.known_until and planned.state in ('online', 'planned', 'exported', 'verified'),
        false
    ) as is_overdue,
    planned.verified_at as archived_at,
    planned.purge_at,
    coalesce(planned.purge_at < known.known_until, false) as is_purge_due
from planned
cross join {{ ref('int_room_known') }} as known
