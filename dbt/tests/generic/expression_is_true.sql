{# A row for which the expression is false fails; unknown passes, as with a check constraint. #}
{% test expression_is_true(model, expression) %}
select *
from {{ model }}
where not ({{ expression }})
{% endtest %}
