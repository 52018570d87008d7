{# The fixtures of unit tests are cast by information_schema's type names, which call any array ARRAY; ours hold text. #}
{% macro postgres__safe_cast(field, type) -%}
    cast({{ field }} as {{ 'text[]' if type == 'ARRAY' else type }})
{%- endmacro %}
