with days as (
    select
        *,
        {{ call_rates('counts') }}
    from {{ ref('int_call_days') }} as counts
)

select
    days.local_date,
    days.scope,
    days.scope_id,
    {{ call_scope_name('days', 'members') }} as scope_name,
    {{ call_columns('days') }},
    {%- for measure in ['call_count', 'answer_rate', 'service_level', 'mean_answer_seconds'] %}
    before.{{ measure }} as previous_{{ measure }},
    days.{{ measure }} - before.{{ measure }} as {{ measure }}_delta{{ ',' if not loop.last }}
    {%- endfor %}
from days
left join days as before
    on before.local_date = days.local_date - 1 and before.scope = days.scope and before.scope_id = days.scope_id
{{ join_call_scope('members', 'days') }}
