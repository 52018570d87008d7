{#
  A table whose fingerprint is not the one of its last build is made anew and swapped in, as --full-refresh does for all:
  its definition (columns, types, constraints, indexes) is then the model's, and no row of the old one is left. dbt's
  is_incremental() asks this as well. config(full_refresh=false) keeps a table in any case.
#}
{% macro should_full_refresh() %}
    {%- set asked = flags.FULL_REFRESH if config.get('full_refresh') is none else config.get('full_refresh') -%}
    {%- if asked or config.get('full_refresh') is not none or model.config.materialized != 'incremental' -%}
        {{ return(asked) }}
    {%- endif -%}
    {{ return(not is_built_as_now()) }}
{% endmacro %}
