{{ config(
    materialized='incremental',
    unique_key='month_start',
    meta={'affected_by': 'int_affected_periods', 'affected_key': 'period_start'},
    indexes=[{'columns': ['scope', 'scope_id', 'source', 'month_start'], 'unique': true}, {'columns': ['month_start']}],
) }}

-- A month that a load affected is among the periods that it affected, beside its days and weeks.
with affected as (
    select distinct period_start as month_start
    from {{ ref('int_affected_periods') }} as periods
    where period = 'month' and {{ load_window('periods') }}
),

-- Counted before they are unpacked by scope: most chats of a month are alike.
alike as (
    select distinct
        affected.month_start,
        chats.agent_id,
        chats.pickup_agent_id,
        chats.first_response_agent_id,
        chats.department_id,
        chats.channel,
        chats.direction,
        chats.source
    from affected
    inner join {{ ref('chat_response_times') }} as chats
        on chats.created_local_date >= affected.month_start
        and chats.created_local_date < affected.month_start + interval '1 month'
    where not chats.is_deleted
)

select distinct
    alike.month_start,
    scopes.scope,
    scopes.scope_id,
    alike.source
from alike
cross join lateral (
    {{ scopes('alike', credited_agents('alike'), by_direction=true) }}
) as scopes (scope, scope_id)
where scopes.scope_id is not null
