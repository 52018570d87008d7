-- No CTEs here: Postgres merges only a view without them into its reader's query, and so compares the days that are
-- read, not all. The day before is the calendar's: where it has no row it had no chat, and its means are unknown.
{%- set times = ['pickup', 'first_response', 'resolution', 'handling', 'reply'] %}

select
    days.*,
    coalesce(days_before.chat_count, 0) as previous_chat_count,
    {{ percent_change('days.chat_count', 'days_before.chat_count') }} as chat_count_delta_pct
    {%- for time in times %}
    {%- set mean = 'days.sum_' ~ time ~ '_seconds::double precision / nullif(days.' ~ time ~ '_count, 0)' %}
    {%- set mean_before = mean | replace('days.', 'days_before.') %},
    {{ mean }} as mean_{{ time }}_seconds,
    {{ mean_before }} as previous_mean_{{ time }}_seconds,
    {{ percent_change(mean, '(' ~ mean_before ~ ')') }} as mean_{{ time }}_delta_pct
    {%- endfor %}
from {{ ref('int_performance_days') }} as days
left join {{ ref('int_performance_days') }} as days_before
    on days_before.local_date = days.local_date - 1
    and days_before.scope = days.scope
    and days_before.scope_id = days.scope_id
