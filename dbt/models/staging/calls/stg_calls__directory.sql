{%- set columns = [
    'organization_id', 'name', 'display_name', 'timezone', 'domain', 'color', 'is_active', 'is_success', 'created_at', 'updated_at',
] -%}
-- What calls name by its key: one shape, so one view and one table.
{%- for kind, table in {
    'organization': 'organizations', 'site': 'sites', 'pool': 'pools', 'agent': 'agent_profiles', 'disposition': 'dispositions'
}.items() %}
select
    '{{ kind }}' as kind,
    landed.row_key as id,
    {{ 'landed.row_key' if kind == 'organization' else 'record.organization_id' }} as organization_id,
    coalesce(record.display_name, record.name) as name,
    record.timezone,
    record.domain,
    record.color,
    {{ to_boolean('record.is_active') }} as is_active,
    {{ to_boolean('record.is_success') }} as is_success,
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
