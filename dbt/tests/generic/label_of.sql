{# Each label is one that the taxonomy has, or had. #}
{% test label_of(model, column_name, field) %}
select {{ column_name }}
from {{ model }} as labelled
where {{ column_name }} is not null and not exists (
    select from {{ source('analysis', 'taxonomy_labels') }} as labels
    where labels.field = '{{ field }}' and labels.label = labelled.{{ column_name }}
)
{% endtest %}
