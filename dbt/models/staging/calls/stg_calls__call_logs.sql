{%- set columns = [
    'id', 'organization_id', 'agent_id', 'site_id', 'pool_id', 'disposition_id', 'visitor_id', 'pageview_id',
    'status', 'page_url', 'visitor_country_code', 'reconnect_token', 'reconnect_eligible', 'reconnect_count',
    'reconnect_deadline_at', 'ring_started_at', 'answered_at', 'ended_at', 'ended_by', 'created_at',
    'updated_at',
] -%}
-- Whoever has the token of a call can take it up: it stands here as its hash, by which equal ones are found.
select
    record.id,
    record.organization_id,
    record.agent_id,
    record.site_id,
    record.pool_id,
    record.disposition_id,
    record.visitor_id,
    record.pageview_id,
    record.status,
    record.page_url,
    record.visitor_country_code,
    md5(record.reconnect_token) as reconnect_key,
    {{ to_boolean('record.reconnect_eligible') }} as reconnect_eligible,
    {{ json_small_integer('record.reconnect_count') }} as reconnect_count,
    {{ json_instant('record.reconnect_deadline_at') }} as reconnect_deadline_at,
    {{ json_instant('record.ring_started_at') }} as ring_started_at,
    {{ json_instant('record.answered_at') }} as answered_at,
    {{ json_instant('record.ended_at') }} as ended_at,
    record.ended_by,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('calls', 'call_logs') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
