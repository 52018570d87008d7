{# What to show beside labels: who gave them, by the variable classified_by. The fake of a language model is neither that nor rules. NULL where nobody did. #}
{% macro classified_by(is_llm, version, language) -%}
    {%- set words = var('classified_by') -%}
    {%- set place = ['es', 'en'].index(language) -%}
    case
        when {{ is_llm }} then '{{ words.badge[place] }} {{ words.model[place] }}'
        when {{ version }} like 'rules-%' then '{{ words.badge[place] }} {{ words.rules[place] }}'
        when {{ version }} is not null then '{{ words.badge[place] }} {{ words.fake[place] }}'
    end
{%- endmacro %}
