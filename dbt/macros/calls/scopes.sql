{# The members of calls' scopes by name; what has none of a kind is the member `none`, a country stands for itself. #}
{% macro join_call_scope(members, relation) -%}
    left join {{ ref('int_call_members') }} as {{ members }}
        on {{ members }}.kind = {{ relation }}.scope
        and {{ source_key('calls', members ~ '.id') }} = {{ relation }}.scope_id
{%- endmacro %}


{# The name of a member of a scope. #}
{% macro call_scope_name(relation, members) -%}
    coalesce({{ members }}.name, {{ relation }}.scope_id)
{%- endmacro %}
