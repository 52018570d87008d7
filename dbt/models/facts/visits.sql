{{ config(
    tags=['calls'],
    unique_key='visitor_key',
    meta={'affected_by': 'int_affected_visitors'},
    indexes=[{'columns': ['visitor_key']}, {'columns': ['local_date']}, {'columns': ['load_id']}],
) }}

-- A visitor of whom anything came is told anew as a whole: a pageview that comes late joins two visits, or makes one of none.
with affected as (
    select distinct visitor_key
    from {{ ref('int_affected_visitors') }} as affected
    where {{ load_window('affected') }}
),

events as (
    select
        pageviews.visitor_key,
        {{ source_key('calls', 'pageviews.organization_id') }} as organization_id,
        {{ source_key('calls', 'pageviews.site_id') }} as site_id,
        {{ source_key('calls', 'pageviews.pool_id') }} as pool_id,
        pageviews.country,
        'pageview:' || pageviews.id as event_id,
        'pageview' as kind,
        pageviews.created_at as happened_at,
        pageviews.created_at as lasts_until,
        pageviews.popup_shown_at,
        null::timestamptz as answered_at,
        null::timestamptz as ended_at,
        pageviews.is_bot,
        pageviews.visitor_id is null as is_anonymous,
        pageviews.load_id
    from {{ ref('widget_pageviews') }} as pageviews
    where pageviews.visitor_key = any(array(select visitor_key from affected))
        and not pageviews.is_deleted
        and not pageviews.is_from_the_future
        and pageviews.created_at is not null

    union all

    select
        calls.visitor_key,
        calls.organization_id,
        calls.site_id,
        calls.pool_id,
        calls.country,
        'call:' || calls.call_id as event_id,
        'call' as kind,
        calls.created_at as happened_at,
        coalesce(calls.ended_at, calls.created_at) as lasts_until,
        null as popup_shown_at,
        case when calls.answered_at >= calls.created_at then calls.answered_at end as answered_at,
        case when calls.answered_at >= calls.created_at then calls.ended_at end as ended_at,
        false as is_bot,
        calls.is_anonymous,
        calls.load_id
    from {{ ref('int_call_times') }} as calls
    where calls.visitor_key = any(array(select visitor_key from affected)) and not calls.is_deleted
),

-- A gap of 30 minutes begins another visit; while somebody is on the phone there is none.
marked as (
    select
        events.*,
        (events.happened_at at time zone coalesce(organizations.timezone, '{{ account_timezone() }}'))::date as local_date,
        (events.lasts_until at time zone coalesce(organizations.timezone, '{{ account_timezone() }}'))::date as until_local_date,
        coalesce(
            events.happened_at >= max(events.lasts_until) over (
                partition by events.visitor_key, events.site_id
                order by events.happened_at, events.event_id rows between unbounded preceding and 1 preceding
            ) + interval '30 minutes',
            true
        ) as is_first
    from events
    left join {{ ref('call_directory') }} as organizations
        on organizations.kind = 'organization' and {{ source_key('calls', 'organizations.id') }} = events.organization_id
),

numbered as (
    select
        *,
        count(*) filter (where is_first) over (
            partition by visitor_key, site_id order by happened_at, event_id
        ) as number,
        count(*) filter (where kind = 'pageview') over (partition by visitor_key, local_date) as day_pageview_count
    from marked
),

-- The first step of each, for a later one counts only after it.
begun as (
    select
        *,
        min(popup_shown_at) over (partition by visitor_key, site_id, number) as popup_at
    from numbered
)

select
    (array_agg(event_id order by happened_at, event_id))[1] as visit_id,
    visitor_key,
    min(local_date) as local_date,
    max(until_local_date) as until_local_date,
    (array_agg(organization_id order by happened_at, event_id))[1] as organization_id,
    site_id,
    (array_agg(pool_id order by happened_at, event_id) filter (where pool_id is not null))[1] as pool_id,
    coalesce((array_agg(country order by happened_at, event_id) filter (where country <> 'unknown'))[1], 'unknown') as country,
    min(happened_at) as started_at,
    max(lasts_until) as ended_at,
    {{ "min(happened_at) filter (where kind = 'pageview')" if var('calls_have_pageviews') else 'null::timestamptz' }} as pageview_at,
    min(popup_at) as popup_at,
    min(happened_at) filter (where kind = 'call' and happened_at >= popup_at) as call_at,
    min(answered_at) filter (where kind = 'call' and happened_at >= popup_at) as accepted_at,
    min(ended_at) filter (where kind = 'call' and happened_at >= popup_at) as completed_at,
    count(*) filter (where kind = 'pageview')::integer as pageview_count,
    count(*) filter (where kind = 'call')::integer as call_count,
    count(*) filter (where kind = 'call' and coalesce(happened_at < popup_at, true))::integer as direct_call_count,
    bool_or(is_anonymous) as is_anonymous,
    bool_or(is_bot) as is_bot,
    bool_or(kind = 'pageview' and day_pageview_count > {{ var('bot_daily_pageviews') | int }}) as is_bot_suspected,
    max(load_id) as load_id
from begun
group by visitor_key, site_id, number
