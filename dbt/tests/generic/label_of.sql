{# Each label is one that the taxonomy has, or had. #}
{% test label_of(model, column_name, field) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} not in (
    select labels.label from {{ source('analysis', 'taxonomy_labels') }} as labels where labels.field = '{{ field }}'
)
{% endtest %}
