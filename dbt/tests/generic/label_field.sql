{# Each value is a field of the taxonomy, or one of the others named. #}
{% test label_field(model, column_name, others, in_capitals=false) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} not in (
    {%- for field in label_fields() %}'{{ field.name | upper if in_capitals else field.name }}', {% endfor %}
    {%- for name in others %}'{{ name }}', {% endfor %}''
)
{% endtest %}
