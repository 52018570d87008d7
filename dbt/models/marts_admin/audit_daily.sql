-- A view over the audit log, whose rows never change: it is right whenever it is read, and has nothing to catch up with.
select
    {{ local_time('events.timestamp') }}::date as local_date,
    events.event_type,
    events.severity,
    coalesce(users.role, 'unknown') as user_role,
    coalesce(users.kind, 'unknown') as user_kind,
    events.success as is_success,
    count(*)::bigint as event_count,
    count(distinct events.user_id)::integer as user_count,
    max(events.timestamp) as last_event_at
from {{ source('ops', 'audit_logs') }} as events
left join {{ source('ops', 'users') }} as users on users.id = events.user_id
group by 1, 2, 3, 4, 5, 6
