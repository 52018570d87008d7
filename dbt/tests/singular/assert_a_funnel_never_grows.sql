{{ config(tags=['calls'], meta={'dagster': {'ref': {'name': 'int_funnel_days'}}}) }}

-- No step has more visits than the one before it; each visit and each of its calls is counted once; a visit's steps are in order.
select 'a step grows' as broken, scope_id as id from {{ ref('int_funnel_days') }}
where pageview_visit_count > visit_count
    {%- if var('calls_have_pageviews') %}
    or popup_visit_count > pageview_visit_count
    {%- endif %}
    or call_visit_count > popup_visit_count
    or accepted_visit_count > call_visit_count
    or completed_visit_count > accepted_visit_count

union all

select 'steps are not in order' as broken, visit_id from {{ ref('visits') }}
where popup_at < pageview_at or call_at < popup_at or accepted_at < call_at or completed_at < accepted_at
    or direct_call_count > call_count

union all

select 'visits are not those of the days' as broken, 'all' as id
from (select sum(visit_count + bot_count + suspected_bot_count) as counted from {{ ref('int_funnel_days') }} where scope = 'all') as days
cross join (
    select
        (select count(*) from {{ ref('visits') }}) as visits,
        (select sum(call_count) from {{ ref('visits') }}) as calls,
        (select count(*) from {{ ref('int_call_times') }} where not is_deleted) as all_calls
) as told
where coalesce(days.counted, 0) <> told.visits or coalesce(told.calls, 0) <> told.all_calls
