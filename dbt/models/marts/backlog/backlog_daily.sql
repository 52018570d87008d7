with days as (
    select * from {{ ref('int_backlog_days') }}
),

-- Read under a name of its own: Postgres would make one that is used twice for all days and scopes before looking.
days_before as (
    select * from {{ ref('int_backlog_days') }}
),

agents as (
    select * from {{ ref('int_agents') }}
),

departments as (
    select * from {{ ref('int_departments') }}
),

states as (
    select * from {{ ref('labels') }}
    where label_set = 'backlog_state'
)

select
    days.local_date,
    days.scope,
    days.scope_id,
    coalesce(agents.name, departments.name, days.scope_id) as scope_name,
    days.state,
    states.label_es as state_label_es,
    states.label_en as state_label_en,
    days.chat_count,
    case when days.state = 'open' then days.opened_count end as opened_count,
    case when days.state = 'open' then days.closed_count end as closed_count,
    case when days.state in ('open', 'stale') then days.became_stale_count end as became_stale_count,
    case when days.state in ('open', 'stale') then days.returned_count end as returned_count,
    days.end_chat_count,
    days.under_1h_count,
    days.from_1h_to_4h_count,
    days.from_4h_to_1d_count,
    days.from_1d_to_3d_count,
    days.from_3d_to_7d_count,
    days.over_7d_count,
    coalesce(days_before.chat_count, 0) as previous_chat_count,
    days.chat_count - coalesce(days_before.chat_count, 0) as chat_count_delta,
    {{ percent_change('days.chat_count', 'days_before.chat_count') }} as chat_count_delta_pct
from days
inner join states on states.member = days.state
left join days_before
    on days_before.scope = days.scope
    and days_before.scope_id = days.scope_id
    and days_before.state = days.state
    and days_before.local_date = days.local_date - 1
left join agents on days.scope = 'agent' and agents.id = days.scope_id
left join departments on days.scope = 'department' and departments.id = days.scope_id
