-- No CTEs here: Postgres merges only a view without them into its reader's query, and so compares the days that are
-- read, not all. The day before is the calendar's: where it has no row it had no chat, and its means are unknown.
{%- set times = ['pickup', 'first_response', 'resolution', 'handling', 'reply'] %}
{%- set metrics = ['overall', 'pickup', 'first_response', 'avg_reply', 'resolution'] %}
{%- set counts = [
    'chat_count', 'closed_chat_count', 'incoming_message_count', 'outgoing_message_count', 'reopened_count',
    'agent_transfer_count', 'department_transfer_count',
] %}

select
    days.local_date,
    days.scope,
    days.scope_id,
    {%- for count in counts %}
    days.{{ count }},
    {%- endfor %}
    {%- for time in times %}
    days.{{ time }}_count,
    {%- for statistic in ['sum', 'p50', 'p90'] %}
    {%- set seconds = statistic ~ '_' ~ time ~ '_seconds' %}
    {{ time_of_one_source('days.' ~ seconds) }} as {{ seconds }},
    {%- endfor %}
    {%- endfor %}
    coalesce(days_before.chat_count, 0) as previous_chat_count,
    {{ percent_change('days.chat_count', 'days_before.chat_count') }} as chat_count_delta_pct
    {%- for time in times %}
    {%- set mean = 'days.sum_' ~ time ~ '_seconds::double precision / nullif(days.' ~ time ~ '_count, 0)' %}
    {%- set mean_before = mean | replace('days.', 'days_before.') %},
    {{ time_of_one_source(mean) }} as mean_{{ time }}_seconds,
    {{ time_of_one_source(mean_before) }} as previous_mean_{{ time }}_seconds,
    {{ time_of_one_source(percent_change(mean, '(' ~ mean_before ~ ')')) }} as mean_{{ time }}_delta_pct
    {%- endfor %}
    {%- for metric in metrics %}{% for clock in ['wall', 'business'] %}
    {%- set name = 'sla_' ~ metric ~ '_' ~ clock %}
    {%- set rate = 'sla.' ~ name ~ '_met_count::double precision / nullif(sla.' ~ name ~ '_met_count + sla.' ~ name ~ '_breached_count, 0)' %}
    {%- set rate_before = rate | replace('sla.', 'sla_before.') %},
    coalesce(sla.{{ name }}_met_count, 0) as {{ name }}_met_count,
    coalesce(sla.{{ name }}_breached_count, 0) as {{ name }}_breached_count,
    {{ rate }} as {{ name }}_rate
    {%- if metric == 'overall' %},
    {{ rate_before }} as previous_{{ name }}_rate,
    {{ rate }} - {{ rate_before }} as {{ name }}_rate_delta
    {%- endif %}
    {%- endfor %}{% endfor %}
from {{ ref('int_performance_days') }} as days
left join {{ ref('int_performance_days') }} as days_before
    on days_before.local_date = days.local_date - 1
    and days_before.scope = days.scope
    and days_before.scope_id = days.scope_id
left join {{ ref('int_sla_by_day') }} as sla
    on sla.local_date = days.local_date
    and sla.scope = days.scope
    and sla.scope_id = days.scope_id
left join {{ ref('int_sla_by_day') }} as sla_before
    on sla_before.local_date = days.local_date - 1
    and sla_before.scope = days.scope
    and sla_before.scope_id = days.scope_id
{{ join_mixed_members('days') }}
