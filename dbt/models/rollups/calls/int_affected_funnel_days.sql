-- Days on which visits began, or would have begun before what came late joined them to an earlier one; and days of what came, for
-- it may have been deleted.
select
    day::date as local_date,
    visits.load_id
from {{ ref('visits') }} as visits
cross join lateral generate_series(
    visits.local_date::timestamp, visits.until_local_date::timestamp, interval '1 day'
) as day
{%- for relation in ['widget_pageviews', 'calls'] %}

union all

select
    (moment.happened_at at time zone coalesce(organizations.timezone, '{{ account_timezone() }}'))::date as local_date,
    events.load_id
from {{ ref(relation) }} as events
left join {{ ref('call_directory') }} as organizations
    on organizations.kind = 'organization' and organizations.id = events.organization_id
cross join lateral (
    values (events.created_at), (events.created_at + interval '30 minutes')
) as moment (happened_at)
where events.created_at is not null
{%- endfor %}
