{%- set columns = ['organization_id', 'kind', 'value', 'created_at', 'updated_at'] -%}
-- The seed names these five by their size alone: one shape, so one view and one table. Their payloads stay in raw.
{%- for table in ['feedback_items', 'funnel_events', 'pmf_surveys', 'mrr_snapshots', 'mrr_changes'] %}
select
    '{{ table }}' as entity,
    landed.row_key as id,
    record.organization_id,
    record.kind,
    case when record.value ~ '^-?\d{1,15}(\.\d{1,15})?$' then record.value::numeric end as value,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('calls', table) }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
