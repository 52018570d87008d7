{{ config(
    materialized='incremental',
    unique_key='month_start',
    meta={'affected_by': 'int_affected_months'},
    indexes=[{'columns': ['month_start', 'scope', 'scope_id', 'day_of_week', 'hour'], 'unique': true}],
) }}

with affected_months as (
    select distinct month_start
    from {{ ref('int_affected_months') }} as affected
    where {{ load_window('affected') }}
),

hours as (
    select
        affected_months.month_start,
        hours.*
    from affected_months
    inner join {{ ref('int_agent_hours') }} as hours
        on hours.local_date >= affected_months.month_start
        and hours.local_date < affected_months.month_start + interval '1 month'
),

-- The account is the sum of its agents; an agent's hour is counted once, whichever departments its chats belong to.
scoped as (
    select
        hours.*,
        scopes.*
    from hours
    cross join lateral (
        values
        ('agent', case when department_id = 'all' then agent_id end),
        ('department', department_id)
    ) as scopes (scope, scope_id)
    where scopes.scope_id is not null
)

select
    month_start,
    scope,
    scope_id,
    extract(dow from local_date)::integer as day_of_week,
    hour,
    sum(active_seconds)::bigint as active_seconds,
    sum(active_chat_seconds)::bigint as active_chat_seconds,
    max(peak_chat_count)::integer as peak_chat_count
from scoped
group by month_start, scope, scope_id, day_of_week, hour
