{#
  SQL: the key that facts join by, unique over all sources: two sources that both have a 17 never meet. B2Chat's own keys
  stay as BI, exports and analysis know them; another source's begin with its name. For the keys of conversations, agents,
  departments and contacts alike.
#}
{% macro source_key(source, id) -%}
    {%- if source == 'b2chat' -%} {{ id }} {%- else -%} '{{ source }}:' || {{ id }} {%- endif -%}
{%- endmacro %}


{# SQL: the entities whose loads bring conversations, as (source, entity_type); a line a source. #}
{% macro conversation_entities() -%}
    (
        ('b2chat', 'chats')
    )
{%- endmacro %}
