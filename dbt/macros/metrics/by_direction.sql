{#
  The scopes of the marts by direction. What has no department counts for none, so that the departments' sum is
  everything; what has no agent counts for no agent.
#}
{% macro scopes_by_direction(chats, agent_id=none) -%}
    cross join lateral (
        values
        ('all', 'all'),
        ('agent', {{ agent_id or chats ~ '.agent_id' }}),
        ('department', coalesce({{ chats }}.department_id, 'none')),
        ('channel', {{ chats }}.channel)
    ) as scopes (scope, scope_id)
{%- endmacro %}
