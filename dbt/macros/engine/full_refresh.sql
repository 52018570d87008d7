{#
  A table whose fingerprint is not the one of its last build is made anew and swapped in, as --full-refresh does for all:
  its definition (columns, types, constraints, indexes) is then the model's, and no row of the old one is left. dbt's
  is_incremental() asks this as well. config(full_refresh=false) keeps a table in any case. While months are archived, a table
  made from chats is refused instead (archives.sql).
#}
{% macro should_full_refresh() %}
    {%- set asked = flags.FULL_REFRESH if config.get('full_refresh') is none else config.get('full_refresh') -%}
    {%- if asked or config.get('full_refresh') is not none or model.config.materialized != 'incremental' -%}
        {{ return(asked) }}
    {%- endif -%}
    {%- if is_built_as_now() -%}
        {{ return(false) }}
    {%- endif -%}
    {%- if is_made_from_chats() -%}
        {%- do require_all_months(this.schema ~ '.' ~ this.identifier) -%}
    {%- endif -%}
    {{ return(true) }}
{% endmacro %}
