{# The name of a level of support by its number; NULL for a number that names none. #}
{% macro level_name(number) -%}
    (array['T1', 'T2', 'T3', 'manager'])[{{ number }}]
{%- endmacro %}


{# The number of a level of support by its name; NULL for a name that is none. #}
{% macro level_number(name) -%}
    array_position(array['T1', 'T2', 'T3', 'manager'], {{ name }})
{%- endmacro %}


{# What every table of core.rooms ends with: was it deleted, softly or for good, and which load brought the row. #}
{% macro row_state(row) -%}
    coalesce({{ row }}.deleted_at, {{ row }}.removed_at) is not null as is_deleted,
    coalesce({{ row }}.deleted_at, {{ row }}.removed_at) as deleted_at,
    case
        when {{ row }}.removed_at is not null then coalesce({{ row }}.removal_reason, 'deleted at the source')
        when {{ row }}.deleted_at is not null then 'marked as deleted at the source'
    end as deletion_reason,
    {{ row }}.loaded_at as last_sync_at
{%- endmacro %}
