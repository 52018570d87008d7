{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_funnel_days'},
    indexes=[{'columns': ['scope', 'scope_id', 'local_date']}],
) }}

with affected_days as (
    select distinct local_date
    from {{ ref('int_affected_funnel_days') }} as affected
    where {{ load_window('affected') }}
),

visits as (
    select
        visits.*,
        not visits.is_bot and not visits.is_bot_suspected as is_counted,
        scopes.scope,
        scopes.scope_id
    from {{ ref('visits') }} as visits
    cross join lateral (
        values
        ('all', 'all'),
        ('site', coalesce(visits.site_id, 'none')),
        ('pool', coalesce(visits.pool_id, 'none')),
        ('country', visits.country)
    ) as scopes (scope, scope_id)
    where visits.local_date = any(array(select local_date from affected_days))
)

select
    local_date,
    scope,
    scope_id,
    count(*) filter (where is_counted)::integer as visit_count,
    count(*) filter (where is_counted and pageview_at is not null)::integer as pageview_visit_count,
    {#- Each step only where those before it were made. #}
    {%- set steps = ['popup', 'call', 'accepted', 'completed'] %}
    {%- set first = 'pageview_at is not null and ' if var('calls_have_pageviews') else '' %}
    {%- for step in steps %}
    count(*) filter (where is_counted and {{ first }}{{ steps[:loop.index] | join('_at is not null and ') }}_at is not null)::integer
        as {{ step }}_visit_count,
    {%- endfor %}
    coalesce(sum(direct_call_count) filter (where is_counted), 0)::integer as direct_call_count,
    count(*) filter (where is_counted and is_anonymous)::integer as anonymous_count,
    count(*) filter (where is_bot)::integer as bot_count,
    count(*) filter (where is_bot_suspected and not is_bot)::integer as suspected_bot_count
from visits
group by local_date, scope, scope_id
