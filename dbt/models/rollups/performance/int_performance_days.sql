{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_performance_days'},
    indexes=[{'columns': ['local_date', 'scope', 'scope_id'], 'unique': true}],
) }}

{%- set times = ['pickup', 'first_response', 'resolution', 'handling', 'reply'] %}
{%- set counts = [
    'incoming_message_count', 'outgoing_message_count', 'reopened_count', 'agent_transfer_count', 'department_transfer_count'
] %}

with affected_days as (
    select distinct local_date
    from {{ ref('int_affected_performance_days') }} as affected
    where {{ load_window('affected') }}
),

chat_days as (
    select * from {{ ref('int_chat_day_facts') }}
    where not is_left and {{ is_of('affected_days', 'local_date') }}
),

-- A chat's times count on the day it was created, a reply on the day it was given, and each for the agent who gave it;
-- the chat itself for the agent who has it now.
facts as (
    select
        days.local_date,
        chats.agent_id,
        -- Its times stand on the day of its creation, its SLA on that of its opening; on no other day are they named.
        case when days.is_created or days.is_opened then chats.pickup_agent_id end as pickup_agent_id,
        case when days.is_created or days.is_opened then chats.first_response_agent_id end as first_response_agent_id,
        chats.department_id,
        chats.channel,
        chats.source,
        chats.direction,
        days.is_created,
        days.is_closed,
        {%- for count in counts %}
        days.{{ count }},
        {%- endfor %}
        {%- for time in times if time != 'reply' %}
        case when days.is_created then chats.{{ time }}_seconds end as {{ time }}_seconds,
        {%- endfor %}
        null::integer as reply_seconds
    from chat_days as days
    inner join {{ ref('chat_response_times') }} as chats on chats.chat_id = days.chat_id

    union all

    select
        replied_local_date as local_date,
        agent_id,
        null as pickup_agent_id,
        null as first_response_agent_id,
        department_id,
        channel,
        source,
        direction,
        false as is_created,
        false as is_closed,
        {%- for count in counts %}
        0 as {{ count }},
        {%- endfor %}
        {%- for time in times if time != 'reply' %}
        null as {{ time }}_seconds,
        {%- endfor %}
        reply_seconds
    from {{ ref('reply_turns') }}
    where is_answered and not is_deleted and {{ is_of('affected_days', 'replied_local_date', 'local_date') }}
),

scoped as (
    select
        facts.local_date,
        scopes.*,
        is_own.is_own and facts.is_created as is_created,
        is_own.is_own and facts.is_closed as is_closed
        {%- for count in counts %},
        case when is_own.is_own then facts.{{ count }} else 0 end as {{ count }}
        {%- endfor %}
        {%- for time in times %},
        case when scopes.scope <> 'agent' or scopes.scope_id = {{ credited_agent(time, 'facts') }}
            then facts.{{ time }}_seconds end as {{ time }}_seconds
        {%- endfor %}
    from facts
    cross join lateral (
        {{ scopes('facts', credited_agents('facts'), by_direction=true) }}
    ) as scopes (scope, scope_id)
    cross join lateral (
        select scopes.scope <> 'agent' or coalesce(scopes.scope_id = facts.agent_id, false) as is_own
    ) as is_own
    where scopes.scope_id is not null
)

select
    local_date,
    scope,
    scope_id,
    count(*) filter (where is_created)::integer as chat_count,
    count(*) filter (where is_closed)::integer as closed_chat_count,
    {%- for count in counts %}
    sum({{ count }})::integer as {{ count }},
    {%- endfor %}
    {%- for time in times %}
    count({{ time }}_seconds)::integer as {{ time }}_count,
    sum({{ time }}_seconds)::bigint as sum_{{ time }}_seconds,
    percentile_cont(0.5) within group (order by {{ time }}_seconds) as p50_{{ time }}_seconds,
    percentile_cont(0.9) within group (order by {{ time }}_seconds) as p90_{{ time }}_seconds{{ ',' if not loop.last }}
    {%- endfor %}
from scoped
group by local_date, scope, scope_id
