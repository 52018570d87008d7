{#
  What BI's role may read: the marts, those that come later too. Runs at each start, so that the role may come later than
  the marts, and a schema that was dropped has its rights again.
#}
{% macro grant_marts_to_bi_reader() %}
    select ops.grant_marts_to_bi_reader()
{% endmacro %}
