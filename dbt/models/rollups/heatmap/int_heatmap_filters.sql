{{ config(
    materialized='incremental',
    unique_key='filter_key',
    post_hook='delete from {{ this }} where not is_shown',
    indexes=[
        {'columns': ['filter_key'], 'unique': true},
        {'columns': ['scope', 'scope_id', 'direction_filter', 'office_hours_filter']},
    ],
) }}

-- Stored, so that a heatmap's query is planned over few tables: planning took most of its time.
with shown_scopes as (
    select * from {{ ref('int_traffic_scopes') }}
),

directions as (
    select * from {{ ref('labels') }}
    where label_set = 'direction_filter'
),

office_hours as (
    select * from {{ ref('labels') }}
    where label_set = 'office_hours_filter'
),

days as (
    select
        jsonb_agg(label_es order by member::integer) as day_labels_es,
        jsonb_agg(label_en order by member::integer) as day_labels_en
    from {{ ref('labels') }}
    where label_set = 'day_of_week'
),

bands as (
    select
        jsonb_object_agg(member, label_es) as band_labels_es,
        jsonb_object_agg(member, label_en) as band_labels_en
    from {{ ref('labels') }}
    where label_set = 'band'
),

history as (
    select
        min(created_week_start) as first_week_start,
        max(created_week_start) as last_week_start
    from {{ ref('chat_response_times') }}
),

filters as (
    select
        concat_ws(chr(31), shown_scopes.scope, shown_scopes.scope_id, directions.member, office_hours.member) as filter_key,
        shown_scopes.scope,
        shown_scopes.scope_id,
        shown_scopes.scope_name,
        case shown_scopes.scope when 'all' then 'all' when 'agent' then shown_scopes.scope_id end as agent_id,
        case when shown_scopes.scope in ('all', 'agent') then shown_scopes.scope_name end as agent_name,
        directions.member as direction_filter,
        directions.label_es as direction_label_es,
        directions.label_en as direction_label_en,
        office_hours.member as office_hours_filter,
        office_hours.label_es as office_hours_label_es,
        office_hours.label_en as office_hours_label_en,
        days.day_labels_es,
        days.day_labels_en,
        bands.band_labels_es,
        bands.band_labels_en,
        history.first_week_start,
        history.last_week_start,
        true as is_shown,
        mixed_members.scope is not null as is_mixed
    from shown_scopes
    {{ join_mixed_members('shown_scopes') }}
    cross join directions
    cross join office_hours
    cross join days
    cross join bands
    cross join history
)

{% if is_incremental() -%}
select filters.* from filters
left join {{ this }} as known on known.filter_key = filters.filter_key
where row(known.*) is distinct from row(filters.*)

union all
-- A scope without any chat left takes the place of its row, and the post-hook takes it off.
select
    filter_key, scope, scope_id, scope_name, agent_id, agent_name, direction_filter, direction_label_es, direction_label_en,
    office_hours_filter, office_hours_label_es, office_hours_label_en, day_labels_es, day_labels_en, band_labels_es,
    band_labels_en, first_week_start, last_week_start, false as is_shown, is_mixed
from {{ this }}
where is_shown and filter_key not in (select filter_key from filters)
{%- else -%}
select * from filters
{%- endif %}
