{#
  SQL: the key that facts join by, unique over all sources: two sources that both have a 17 never meet. B2Chat's own keys
  stay as BI, exports and analysis know them; another source's begin with its name. For the keys of conversations, agents,
  departments and contacts alike.
#}
{% macro source_key(source, id) -%}
    {%- if source == 'b2chat' -%} {{ id }} {%- else -%} '{{ source }}:' || {{ id }} {%- endif -%}
{%- endmacro %}


{#
  The sources of conversations, in the order in which they are offered, each with the entities whose loads bring them; a line a
  source. The first that has conversations is what reports and dashboards show, unless they are asked for another.
#}
{% macro conversation_sources() -%}
    {{ return({
        'b2chat': ['chats'],
        'rooms': ['chat_rooms', 'messages'],
        'calls': ['call_logs', 'call_offers'],
    }) }}
{%- endmacro %}


{# SQL: the entities whose loads bring conversations, as (source, entity_type). #}
{% macro conversation_entities() -%}
    {%- set entities = [] -%}
    {%- for source, names in conversation_sources().items() -%}
        {%- for name in names -%}
            {%- do entities.append("('" ~ source ~ "', '" ~ name ~ "')") -%}
        {%- endfor -%}
    {%- endfor -%}
    ({{ entities | join(', ') }})
{%- endmacro %}


{#
  A time is never taken across sources: 20 seconds on the phone and 40 minutes in a chat are two promises. A member of a scope whose
  conversations are of several sources has counts, shares and SLA rates in every row, and times in none.

  Usage: select {{ time_of_one_source('days.p50_seconds') }} … from … as days {{ join_mixed_members('days') }}
#}
{% macro time_of_one_source(time) -%}
    case when mixed_members.scope is null then {{ time }} end
{%- endmacro %}


{# The join that time_of_one_source asks; rows: a relation with scope and scope_id. #}
{% macro join_mixed_members(rows) -%}
    left join {{ ref('int_mixed_members') }} as mixed_members
        on mixed_members.scope = {{ rows }}.scope and mixed_members.scope_id = {{ rows }}.scope_id
{%- endmacro %}


{# Likewise of customer analyses: mixed.analysis_id is that of an analysis whose chats are of several sources, else NULL. #}
{% macro join_mixed_analyses(chats) -%}
    left join (
        select analysis_id
        from {{ ref('analysis_chats') }}
        group by analysis_id
        having min(conversation_source) <> max(conversation_source)
    ) as mixed
        on mixed.analysis_id = {{ chats }}.analysis_id
{%- endmacro %}
