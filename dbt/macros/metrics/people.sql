{#
  SQL: the key by which an agent of a source is shown: another one where several are one person (int_agent_identities). A map, made
  once in a query, and no join: the planner keeps its estimates, and rows are found by the source's own key.
#}
{% macro person_of(agent_id) -%}
    coalesce(
        (
            select jsonb_object_agg(identities.id, identities.agent_id) from {{ ref('int_agent_identities') }} as identities
            where identities.agent_id <> identities.id
        ) ->> {{ agent_id }},
        {{ agent_id }}
    )
{%- endmacro %}


{#
  SQL: the conversations that new loads tell anew, with the load that does (told_load_id): those that came, and those of agents who
  became one person with others, or are no longer. For models that are affected_by int_affected_conversations.
#}
{% macro conversations_told_anew() %}
    {%- if model.resource_type != 'unit_test' %}
    -- depends_on: {{ ref('int_affected_conversations') }}
    {%- endif %}
    select
        conversations.*,
        greatest(conversations.load_id, changes.load_id) as told_load_id
    from {{ ref('int_conversations') }} as conversations
    left join (
        select
            changes.chat_id,
            max(changes.load_id) as load_id
        from {{ ref('int_identity_changes') }} as changes
        where {{ load_window('changes') }}
        group by changes.chat_id
    ) as changes on changes.chat_id = conversations.chat_id
    where ({{ load_window('conversations') }})
        or conversations.chat_id = any(array(
            select changes.chat_id from {{ ref('int_identity_changes') }} as changes
            where {{ load_window('changes') }}
        ))
{% endmacro %}
