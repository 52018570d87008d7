{%- set first = 'pageview_visit_count' if var('calls_have_pageviews') else 'popup_visit_count' %}
select
    days.local_date,
    days.scope,
    days.scope_id,
    {{ call_scope_name('days', 'members') }} as scope_name,
    days.visit_count,
    {{ 'days.pageview_visit_count' if var('calls_have_pageviews') else 'null::integer' }} as pageview_visit_count,
    days.popup_visit_count,
    days.call_visit_count,
    days.accepted_visit_count,
    days.completed_visit_count,
    {{ 'days.popup_visit_count::double precision / nullif(days.pageview_visit_count, 0)' if var('calls_have_pageviews')
        else 'null::double precision' }} as popup_rate,
    days.call_visit_count::double precision / nullif(days.popup_visit_count, 0) as call_rate,
    days.accepted_visit_count::double precision / nullif(days.call_visit_count, 0) as accepted_rate,
    days.completed_visit_count::double precision / nullif(days.accepted_visit_count, 0) as completed_rate,
    days.completed_visit_count::double precision / nullif(days.{{ first }}, 0) as overall_rate,
    days.direct_call_count,
    days.anonymous_count,
    days.anonymous_count::double precision / nullif(days.visit_count, 0) as anonymous_share,
    days.bot_count,
    days.suspected_bot_count
from {{ ref('int_funnel_days') }} as days
{{ join_call_scope('members', 'days') }}
