{# No two rows have the same columns, and none of these is NULL. Of one column: on the column itself. #}
{% test primary_key(model, columns=none, column_name=none) %}
{%- set key = (columns or [column_name]) | join(', ') -%}
select {{ key }}
from {{ model }}
group by {{ key }}
having count(*) > 1 or num_nulls({{ key }}) > 0
{% endtest %}
