-- Nothing is known of the midnight before the first chat: data begins in the course of that day.
with midnights as (
    select local_date from {{ ref('backlog_daily') }}
    where scope = 'all' and state = 'open'
        and local_date > (
            select min(first.local_date) from {{ ref('backlog_daily') }} as first
            where first.scope = 'all' and first.state = 'open'
        )
),

scopes as (
    select * from {{ ref('int_traffic_scopes') }}
)

select
    midnights.local_date,
    scopes.scope,
    scopes.scope_id,
    {%- for state in ['open', 'waiting_for_pickup', 'waiting_for_answer'] %}
    coalesce(max(backlog.chat_count) filter (where backlog.state = '{{ state }}'), 0) as {{ state }}_count,
    {%- endfor %}
    coalesce(
        max(backlog.from_1d_to_3d_count + backlog.from_3d_to_7d_count + backlog.over_7d_count)
        filter (where backlog.state = 'open'), 0
    ) as over_1d_count,
    coalesce(max(backlog.over_7d_count) filter (where backlog.state = 'open'), 0) as over_7d_count
from midnights
cross join scopes
left join {{ ref('backlog_daily') }} as backlog
    on backlog.local_date = midnights.local_date
    and backlog.scope = scopes.scope
    and backlog.scope_id = scopes.scope_id
group by midnights.local_date, scopes.scope, scopes.scope_id
