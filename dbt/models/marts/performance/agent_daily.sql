{%- set times = ['pickup', 'first_response', 'resolution', 'handling', 'reply'] %}
{%- set metrics = ['overall', 'pickup', 'first_response', 'avg_reply', 'resolution'] %}

with days as (
    select * from {{ ref('int_agent_days') }}
),

chats as (
    select * from {{ ref('int_performance_compared') }}
    where scope = 'agent'
),

-- The day before is the calendar's: on a day on which the agent was only at work there is none in chats to take it from.
chats_before as (
    select * from {{ ref('int_performance_compared') }}
    where scope = 'agent'
),

agents as (
    select * from {{ ref('int_agents') }}
)

select
    days.local_date,
    days.agent_id,
    coalesce(agents.name, days.agent_id) as agent_name,
    coalesce(chats.chat_count, 0) as chat_count,
    coalesce(chats_before.chat_count, 0) as previous_chat_count,
    {{ percent_change('coalesce(chats.chat_count, 0)', 'chats_before.chat_count') }} as chat_count_delta_pct,
    days.picked_up_chat_count,
    coalesce(chats.closed_chat_count, 0) as closed_chat_count,
    coalesce(chats.reopened_count, 0) as reopened_count,
    days.transfer_in_count,
    days.transfer_out_count,
    coalesce(chats.incoming_message_count, 0) as incoming_message_count,
    coalesce(chats.outgoing_message_count, 0) as outgoing_message_count,
    {%- for time in times %}
    coalesce(chats.{{ time }}_count, 0) as {{ time }}_count,
    chats.sum_{{ time }}_seconds,
    chats.mean_{{ time }}_seconds,
    chats.p50_{{ time }}_seconds,
    chats.p90_{{ time }}_seconds,
    chats_before.mean_{{ time }}_seconds as previous_mean_{{ time }}_seconds,
    {{ percent_change('chats.mean_' ~ time ~ '_seconds', 'chats_before.mean_' ~ time ~ '_seconds') }}
        as mean_{{ time }}_delta_pct,
    {%- endfor %}
    {%- for metric in metrics %}{% for clock in ['wall', 'business'] %}
    {%- set name = 'sla_' ~ metric ~ '_' ~ clock %}
    coalesce(chats.{{ name }}_met_count, 0) as {{ name }}_met_count,
    coalesce(chats.{{ name }}_breached_count, 0) as {{ name }}_breached_count,
    chats.{{ name }}_rate,
    {%- if metric == 'overall' %}
    chats_before.{{ name }}_rate as previous_{{ name }}_rate,
    chats.{{ name }}_rate - chats_before.{{ name }}_rate as {{ name }}_rate_delta,
    {%- endif %}
    {%- endfor %}{% endfor %}
    days.active_seconds,
    days.active_chat_seconds,
    days.active_chat_count,
    days.active_chat_seconds::double precision / nullif(days.active_seconds, 0) as mean_concurrent_chats,
    nullif(days.peak_chat_count, 0) as peak_concurrent_chats,
    days.first_action_at,
    days.last_action_at
from days
left join chats on chats.local_date = days.local_date and chats.scope_id = days.agent_id
left join chats_before on chats_before.local_date = days.local_date - 1 and chats_before.scope_id = days.agent_id
left join agents on agents.id = days.agent_id
