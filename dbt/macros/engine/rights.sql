{#
  What roles may do to what dbt makes (dagster_project/warehouse/access/roles.py declares it): each start and end of a build gives
  what is missing and takes what is too much. Tables that are swapped in have it at once, by default privileges.
#}
{% macro apply_rights() %}
    select ops.apply_rights()
{% endmacro %}


{#
  SQL: whether the login that asks sees a row of chats: it is of an agent or a department that `b2chat users login` named
  with that login. Both lists are read once in a query, so that indexes of chats find the rows.
#}
{% macro is_own_chat(chats) -%}
    (
        {{ chats }}.agent_id = any(array(
            select scopes.scope_id from {{ source('ops', 'login_scopes') }} as scopes
            where scopes.login = current_user and scopes.kind = 'agent'
        ))
        or {{ chats }}.department_id = any(array(
            select scopes.scope_id from {{ source('ops', 'login_scopes') }} as scopes
            where scopes.login = current_user and scopes.kind = 'department'
        ))
    )
{%- endmacro %}


{#
  For a post-hook of the views of marts_pii: the planner estimates nothing of what is asked of them from the statistics of
  the tables, which hold what customers said (docs/access.md says what else there is to it).
#}
{% macro as_barrier() -%}
    alter view {{ this }} set (security_barrier)
{%- endmacro %}
