{# What to show beside labels: who gave them. The stand-in for a language model is neither that nor rules. NULL where nobody did. #}
{% macro classified_by(is_llm, version, language) -%}
    {%- set texts = {
        'es': ['clasificado por un modelo de lenguaje', 'clasificado por reglas', 'clasificado por un simulador, de prueba'],
        'en': ['classified by a language model', 'classified by rules', 'classified by a stand-in, for trying'],
    }[language] -%}
    case
        when {{ is_llm }} then '{{ texts[0] }}'
        when {{ version }} like 'rules-%' then '{{ texts[1] }}'
        when {{ version }} is not null then '{{ texts[2] }}'
    end
{%- endmacro %}
