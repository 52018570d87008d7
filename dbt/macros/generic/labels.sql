{# The words to show for a value, by the seed labels; a value that the seed does not know stands for itself. #}
{% macro label_columns(column, value, labels) -%}
    coalesce({{ labels }}.label_es, {{ value }}) as {{ column }}_label_es,
    coalesce({{ labels }}.label_en, {{ value }}) as {{ column }}_label_en
{%- endmacro %}


{% macro join_labels(labels, label_set, value) -%}
    left join {{ ref('labels') }} as {{ labels }} on {{ labels }}.label_set = {{ label_set }} and {{ labels }}.member = {{ value }}
{%- endmacro %}
