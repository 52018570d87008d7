{%- set sources = conversation_sources().keys() | list %}
with of_sources as (
    select
        scope,
        scope_id,
        min(source) as first_source,
        max(source) as last_source
    from {{ ref('int_scope_sources') }}
    group by scope, scope_id
),

-- One that is not listed comes after those that are.
shown_source as (
    select scope_id as source
    from of_sources
    where scope = 'source'
    order by coalesce(array_position(array['{{ sources | join("', '") }}'], scope_id), {{ sources | length + 1 }}), scope_id
    limit 1
)

select
    members.scope,
    members.scope_id,
    members.scope_name,
    case when of_sources.first_source = of_sources.last_source then of_sources.first_source end as source,
    coalesce(of_sources.first_source = of_sources.last_source, true) as has_times,
    case
        when all_members.first_source <> all_members.last_source
            then members.scope = 'source' and members.scope_id = shown_source.source
        else members.scope = 'all'
    end as is_default
from {{ ref('int_traffic_scopes') }} as members
left join of_sources on of_sources.scope = members.scope and of_sources.scope_id = members.scope_id
left join of_sources as all_members on all_members.scope = 'all'
left join shown_source on true
