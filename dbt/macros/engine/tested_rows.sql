{#
  A data test of an incremental model looks at the rows of the loads that the model's last build read: the rest was
  tested when it was new, and a test that reads all of history would cost more than the refresh that it follows.
  `--vars '{test_everything: true}'` (job verify_all) looks at every row.
#}
{% macro get_where_subquery(relation) %}
    {%- set node = graph.nodes.get(model.attached_node) if execute else none -%}
    {%- if node and node.config.materialized == 'incremental' and 'load_id' in node.columns
        and not var('test_everything') -%}
        {%- set conditions = [config.get('where') or 'true', is_new_row(node.alias)] -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ conditions | join(' and ') ~ ') as new_rows') }}
    {%- endif -%}
    {{ return(default__get_where_subquery(relation)) }}
{% endmacro %}


{% macro is_new_row(model_name) -%}
    load_id > (select after_load_id from ops.build_watermarks where model = '{{ model_name }}')
{%- endmacro %}
