-- The day before is the calendar's: where it has no row it had no chat, and its means are unknown.
{%- set times = ['pickup', 'first_response', 'resolution', 'handling', 'reply'] %}

with days as (
    select * from {{ ref('int_performance_days') }}
)

select
    days.*,
    {%- for time in times %}
    days.sum_{{ time }}_seconds::double precision / nullif(days.{{ time }}_count, 0) as mean_{{ time }}_seconds,
    {%- endfor %}
    coalesce(previous.chat_count, 0) as previous_chat_count,
    (days.chat_count::double precision / nullif(previous.chat_count, 0) - 1) * 100 as chat_count_delta_pct
    {%- for time in times %}
    {%- set mean = 'sum_' ~ time ~ '_seconds::double precision / nullif(' %}
    {%- set previous_mean = 'previous.' ~ mean ~ 'previous.' ~ time ~ '_count, 0)' %},
    {{ previous_mean }} as previous_mean_{{ time }}_seconds,
    (days.{{ mean }}days.{{ time }}_count, 0) / nullif({{ previous_mean }}, 0) - 1) * 100 as mean_{{ time }}_delta_pct
    {%- endfor %}
from days
left join {{ ref('int_performance_days') }} as previous
    on previous.local_date = days.local_date - 1
    and previous.scope = days.scope
    and previous.scope_id = days.scope_id
