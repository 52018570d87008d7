-- A view over the audit log, whose rows never change: it is right whenever it is read, and has nothing to catch up with.
-- Counted by user first: a sort of all events, to tell users apart, takes far longer.
with by_user as (
    select
        {{ local_time('timestamp') }}::date as local_date,
        event_type,
        severity,
        success as is_success,
        user_id,
        count(*) as event_count,
        max(timestamp) as last_event_at
    from {{ source('ops', 'audit_logs') }}
    group by 1, 2, 3, 4, 5
)

select
    by_user.local_date,
    by_user.event_type,
    by_user.severity,
    coalesce(users.role, 'unknown') as user_role,
    coalesce(users.kind, 'unknown') as user_kind,
    by_user.is_success,
    sum(by_user.event_count)::bigint as event_count,
    count(by_user.user_id)::integer as user_count,
    max(by_user.last_event_at) as last_event_at
from by_user
left join {{ source('ops', 'users') }} as users on users.id = by_user.user_id
group by 1, 2, 3, 4, 5, 6
