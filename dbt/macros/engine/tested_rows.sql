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
        {{ return(rows_where(relation, conditions)) }}
    {%- endif -%}
    {{ return(default__get_where_subquery(relation)) }}
{% endmacro %}


{% macro is_new_row(model_name) -%}
    load_id > (select after_load_id from ops.build_watermarks where model = '{{ model_name }}')
{%- endmacro %}


{% macro rows_where(relation, conditions) %}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ conditions | join(' and ') ~ ') as new_rows') }}
{% endmacro %}


{#
  The data tests of views as one query: a row for each that fails, with the number of its rows. A refresh does not build
  views (selectors.yml), and a node of dbt for each of their tests would cost more than the rows that it looks at. They
  look at the chats and days that the build brought; where a view has neither, at all of it. Views of the report put weeks
  and months together from tables that are tested: their tests look at weeks whatever came, and wait for the night.
#}
{% macro tests_of_views() %}
    {%- for test in graph.nodes.values()
        if test.resource_type == 'test' and test.attached_node in graph.nodes and test.test_metadata.name != 'relationships'
        and test.config.severity | lower == 'error' -%}
        {%- set view = graph.nodes[test.attached_node] -%}
        {%- if view.config.materialized == 'view' and view.fqn[1] != 'staging'
            and view.fqn[2] not in ['report', 'by_direction'] -%}
            {%- set conditions = [test.config.where or 'true', is_brought(view)] -%}
            {%- set arguments = dict(test.test_metadata.kwargs, model=rows_where(view.relation_name, conditions)) %}
select
    '{{ test.name }}' as broken_test,
    count(*) as row_count
from ({{ context['test_' ~ test.test_metadata.name](**arguments) }}) as failures
having count(*) > 0
union all
        {%- endif -%}
    {%- endfor %}
select null, null where false
{% endmacro %}


{# SQL: whether a row of a view is of a chat, or of a day, week or month, that the last build of facts changed. #}
{% macro is_brought(view) -%}
    {%- set dates = ['local_date', 'week_start', 'month_start', 'period_start'] | select('in', view.columns) | list -%}
    {%- if 'chat_id' in view.columns -%}
        chat_id = any(array(
            select chat_id from {{ graph.nodes['model.b2chat.chat_response_times'].relation_name }}
            where {{ is_new_row('chat_response_times') }}
        ))
    {%- elif dates -%}
        {{ dates[0] }} = any(array(
            select distinct starts.on_date
            from {{ graph.nodes['model.b2chat.int_affected_performance_days'].relation_name }} as days
            cross join lateral (
                values (local_date), (date_trunc('week', local_date)::date), (date_trunc('month', local_date)::date)
            ) as starts (on_date)
            where {{ is_new_row('chat_response_times') }}
        ))
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
