{#
  Who had a chat at an instant; NULL for a chat that never had an agent. LIMIT makes Postgres look each chat up by its key:
  joined, it would read every assignment there is, because it takes the chats of a refresh for half of all.
#}
{% macro join_assignment(assignments, chat_id, instant) -%}
    left join lateral (
        select had.agent_id
        from {{ ref('int_agent_assignments') }} as had
        where had.chat_id = {{ chat_id }}
            and {{ instant }} >= had.assigned_from
            and {{ instant }} < had.assigned_to
        limit 1
    ) as {{ assignments }} on true
{%- endmacro %}


{#
  Whom a time of a chat is credited to: pick-up and first response to the agent who gave them, whatever happened to the
  chat afterwards; the rest to the chat's agent. Nobody gave what did not happen: it is the chat's agent's.
#}
{% macro credited_agent(metric, chats) -%}
    {%- set giver = {
        'pickup': 'pickup_agent_id', 'first_response': 'first_response_agent_id', 'response': 'first_response_agent_id'
    }.get(metric) -%}
    {%- if giver -%}
    coalesce({{ chats }}.{{ giver }}, {{ chats }}.agent_id)
    {%- else -%}
    {{ chats }}.agent_id
    {%- endif -%}
{%- endmacro %}


{# The agents that have a share in a chat, each once: what a chat is unpacked by before its times are credited. #}
{% macro credited_agents(chats) -%}
    {{ return([
        chats ~ '.agent_id',
        "nullif(" ~ chats ~ ".pickup_agent_id, coalesce(" ~ chats ~ ".agent_id, ''))",
        "case when " ~ chats ~ ".first_response_agent_id is distinct from " ~ chats ~ ".agent_id and "
            ~ chats ~ ".first_response_agent_id is distinct from " ~ chats ~ ".pickup_agent_id then "
            ~ chats ~ ".first_response_agent_id end",
    ]) }}
{%- endmacro %}
