{%- set columns = [
    'id', 'organization_id', 'site_id', 'pool_id', 'visitor_id', 'visitor_country_code', 'page_url',
    'referrer_domain', 'popup_shown_at', 'popup_dismissed_at', 'is_bot', 'created_at', 'updated_at',
] -%}
select
    record.id,
    record.organization_id,
    record.site_id,
    record.pool_id,
    record.visitor_id,
    record.visitor_country_code,
    record.page_url,
    record.referrer_domain,
    {{ json_instant('record.popup_shown_at') }} as popup_shown_at,
    {{ json_instant('record.popup_dismissed_at') }} as popup_dismissed_at,
    {{ to_boolean('record.is_bot') }} as is_bot,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('calls', 'widget_pageviews') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
