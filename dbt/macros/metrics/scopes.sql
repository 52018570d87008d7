{#
  Whom something counts for, a row each; the one list of scopes and of their members. What has no agent counts for no
  agent. What has no department counts for the member `none`, so that the departments together are all.

  Usage: cross join lateral ({{ scopes('chats') }}) as scopes (scope, scope_id) … where scopes.scope_id is not null

  Args:
      relation: what has the columns department_id, channel and source, and direction where that is asked for.
      agent_ids: SQL of each agent who has a share in it, NULL where there is none.
      by_direction: also by direction.
#}
{% macro scopes(relation, agent_ids=none, by_direction=false) -%}
values
        ('all', 'all'),
        {%- for agent_id in agent_ids or [relation ~ '.agent_id'] %}
        ('agent', {{ agent_id }}),
        {%- endfor %}
        ('department', coalesce({{ relation }}.department_id, 'none')),
        ('channel', {{ relation }}.channel),
        ('source', {{ relation }}.source)
        {%- if by_direction %},
        ('direction', {{ relation }}.direction)
        {%- endif %}
{%- endmacro %}
