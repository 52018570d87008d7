-- A view over the days of its periods: who reads one period pays for that.
{%- set counts = ['visit', 'pageview_visit', 'popup_visit', 'call_visit', 'accepted_visit', 'completed_visit', 'direct_call',
    'anonymous', 'bot', 'suspected_bot'] %}
with summed as (
    select
        periods.period,
        periods.period_start,
        days.scope,
        days.scope_id
        {%- for name in counts %},
        sum(days.{{ name }}_count)::integer as {{ name }}_count
        {%- endfor %}
    from {{ ref('int_call_periods') }} as periods
    inner join {{ ref('int_funnel_days') }} as days on days.local_date between periods.period_start and periods.period_end
    group by periods.period, periods.period_start, days.scope, days.scope_id
)

select
    summed.period,
    summed.period_start,
    summed.scope,
    summed.scope_id,
    {{ call_scope_name('summed', 'members') }} as scope_name,
    {{ funnel_columns('summed') }}
from summed
{{ join_call_scope('members', 'summed') }}
