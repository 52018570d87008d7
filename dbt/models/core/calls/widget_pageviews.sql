{{ config(
    unique_key='id',
    indexes=[
        {'columns': ['created_at']},
        {'columns': ['visitor_key', 'created_at']},
        {'columns': ['created_local_date']},
        {'columns': ['load_id']},
    ],
) }}

with landed as (
    {{ newest_landed(ref('stg_calls__widget_pageviews'), 'load_id desc, created_at desc nulls last') }}
)

select
    id,
    organization_id,
    site_id,
    pool_id,
    visitor_id,
    visitor_country_code,
    page_url,
    referrer_domain,
    case when popup_shown_at < created_at then null else popup_shown_at end as popup_shown_at,
    case when popup_dismissed_at < popup_shown_at then null else popup_dismissed_at end as popup_dismissed_at,
    coalesce(is_bot, false) as is_bot,
    created_at,
    updated_at,
    removed_at is not null as is_deleted,
    removed_at as deleted_at,
    loaded_at as last_sync_at,

    {{ country_code('visitor_country_code') }} as country,
    {{ visitor_key('visitor_id', "'pageview:' || id") }} as visitor_key,
    {{ previous_visitor_key('landed', "'pageview:' || landed.id") }} as previous_visitor_key,
    {{ is_from_the_future('created_at', 'landed') }} as is_from_the_future,
    {{ local_time('coalesce(created_at, loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_country': "visitor_country_code is not null and " ~ country_code('visitor_country_code') ~ " = 'unknown'",
        'popup_before_pageview': 'popup_shown_at < created_at',
        'popup_dismissed_before_shown': 'popup_dismissed_at < popup_shown_at',
        'from_the_future': is_from_the_future('created_at', 'landed'),
        'late_pageview': "updated_at > created_at + interval '1 day' and page_url is distinct from '" ~ erased_text() ~ "'",
    }) }} as quality_rules,
    load_id
from landed
