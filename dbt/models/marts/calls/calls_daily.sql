{%- set outcomes = ['answered', 'missed', 'rejected', 'abandoned', 'short_abandoned', 'failed', 'waiting'] %}
with days as (
    select
        *,
        answered_count::double precision / nullif(judged_count, 0) as answer_rate,
        answered_in_time_count::double precision / nullif(judged_count, 0) as service_level,
        abandoned_count::double precision / nullif(judged_count, 0) as abandon_rate,
        missed_count::double precision / nullif(judged_count, 0) as miss_rate
    from {{ ref('int_call_days') }}
)

select
    days.local_date,
    days.scope,
    days.scope_id,
    {{ call_scope_name('days', 'members') }} as scope_name,
    days.call_count,
    {%- for outcome in outcomes %}
    days.{{ outcome }}_count,
    {%- endfor %}
    days.judged_count,
    days.answered_in_time_count,
    days.live_count,
    days.orphaned_count,
    days.reconnected_count,
    days.offer_count,
    days.missed_offer_count,
    days.answer_rate,
    days.service_level,
    days.abandon_rate,
    days.miss_rate,
    {%- for seconds in ['answer_seconds', 'wait_seconds', 'talk_seconds', 'handle_seconds'] %}
    {%- for name in spread_names(seconds, [50, 90, 95, 99]) %}
    days.{{ name }},
    {%- endfor %}
    {%- endfor %}
    {%- for measure in ['call_count', 'answer_rate', 'service_level', 'mean_answer_seconds'] %}
    before.{{ measure }} as previous_{{ measure }},
    days.{{ measure }} - before.{{ measure }} as {{ measure }}_delta{{ ',' if not loop.last }}
    {%- endfor %}
from days
left join days as before
    on before.local_date = days.local_date - 1 and before.scope = days.scope and before.scope_id = days.scope_id
{{ join_call_scope('members', 'days') }}
