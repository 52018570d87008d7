{# Why a chat has no category, in words to show: a state of marts.chat_categories. #}
{% macro categorization_state(state, language) -%}
    {%- set texts = {
        'answered': ['clasificada', 'categorized'],
        'pending': ['por clasificar', 'to be categorized'],
        'submitted': ['enviada, sin respuesta aún', 'sent, no answer yet'],
        'budget_deferred': ['espera presupuesto', 'waits for budget'],
        'refused': ['el modelo se negó a clasificarla', 'the model declined'],
        'dead': ['sin clasificar: se dejó de intentar', 'not categorized: given up'],
    } -%}
    case {{ state }}
        {%- for name, labels in texts.items() %}
        when '{{ name }}' then '{{ labels[0 if language == 'es' else 1] }}'
        {%- endfor %}
    end
{%- endmacro %}
