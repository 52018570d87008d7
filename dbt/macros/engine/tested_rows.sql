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


{# From both sides: Postgres takes a third of a table to be above what a subquery says, and a two hundredth to be between two of them. #}
{% macro is_new_row(model_name) -%}
    load_id > (select after_load_id from ops.build_watermarks where model = '{{ model_name }}')
    and load_id <= (select load_id from ops.build_watermarks where model = '{{ model_name }}')
{%- endmacro %}


{#
  A node of dbt for each test costs more than the rows that a refresh brings, and would be most of the refresh. So a refresh
  (selectors.yml) asks tests together:
  - own: those of a table, in the transaction that writes it (post-hook). Rows that fail one are never seen, and nothing is
    built on them;
  - staging: before anything is built (on run start);
  - core: references among core's tables, before facts are built;
  - rest: tests of views, and references that none of the above can ask, when all tables are built;
  - warning: what tables and staging only warn of.
  The last three are queries of their own (tests/singular).

  The first build of a warehouse, which makes each relation, asks all tests so, of all rows: those of views, seeds and staging
  are own as well, and none waits. Any other build runs each test by itself.

  Tests that would read history whatever came wait for the night: of views of the report, which put weeks and months together
  from tables that are tested; of views whose rows are of no chat and no date; and of views that Postgres must put together
  whole to find those of a day (meta.tests_wait). EXPLAIN says which. And of marts of rooms alone, which most refreshes bring
  nothing to.
#}
{% macro is_refresh() %}
    {{ return((invocation_args_dict.get('selector') or '').startswith('refresh')) }}
{% endmacro %}


{% macro is_first_build() %}
    {{ return(invocation_args_dict.get('selector') == 'first_build') }}
{% endmacro %}


{# Which of these asks a test in a first build or a refresh; none where it waits for another build. #}
{% macro asked_together_by(test) %}
    {%- set asked = graph.nodes.get(test.attached_node) -%}
    {%- if not asked or not (is_first_build() or asked.resource_type == 'model') -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set kind = 'staging' if asked.fqn[1] == 'staging' else asked.config.materialized -%}
    {%- if test.config.severity | lower == 'warn' -%}
        {{ return(none if kind == 'view' and is_refresh() else 'warning') }}
    {%- elif kind == 'staging' and is_refresh() -%}
        {{ return(kind) }}
    {%- elif kind == 'view' and is_refresh() -%}
        {%- set waits = asked.fqn[2] in ['report', 'by_direction'] or asked.config.meta.get('tests_wait') -%}
        {{ return(none if waits or referred_to(test) or not brought_by(asked) else 'rest') }}
    {%- elif not referred_to(test) or referred_to(test).unique_id in lineage(asked.unique_id)
        or (is_refresh() and referred_to(test).resource_type == 'seed') -%}
        {{ return('own') }}
    {%- endif -%}
    {%- set core = graph.nodes['test.b2chat.assert_core_refers_to_what_is_there'].depends_on.nodes -%}
    {{ return('rest' if test.depends_on.nodes | reject('in', core) | list else 'core') }}
{% endmacro %}


{# What a test of references looks at beside its own table; none of other tests. #}
{% macro referred_to(test) %}
    {%- if test.test_metadata.name == 'relationships' -%}
        {%- set others = test.depends_on.nodes | reject('equalto', test.attached_node) | list -%}
        {{ return(graph.nodes[others[0]] if others[0] in graph.nodes else graph.sources[others[0]]) }}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}


{#
  SQL: a row for each of these tests that fails, with the number of its rows; of one model or seed, where its id is given.
  What a refresh brought to a model is read once for all of its tests; in a first build that would be a copy of the model.
#}
{% macro failures_of_tests(asked_by, of_node=none) %}
    {%- set found = {} -%}
    {%- for test in graph.nodes.values()
        if test.resource_type == 'test' and (not of_node or test.attached_node == of_node)
        and asked_together_by(test) == asked_by -%}
        {%- do found.setdefault((test.attached_node, test.config.where), []).append(test) -%}
    {%- endfor -%}
    {%- if asked_by == 'rest' and is_refresh() %}
-- Of views: what the last build of facts changed, read once.
with brought_chats as materialized (
    select chat_id from {{ graph.nodes['model.b2chat.chat_response_times'].relation_name }}
    where {{ is_new_row('chat_response_times') }}
),

brought_days as materialized (
    select distinct starts.on_date
    from {{ graph.nodes['model.b2chat.int_affected_performance_days'].relation_name }} as days
    cross join lateral (
        values (local_date), (date_trunc('week', local_date)::date), (date_trunc('month', local_date)::date)
    ) as starts (on_date)
    where {{ is_new_row('chat_response_times') }}
)
    {%- endif %}
    {%- for (unique_id, where), tests in found.items() %}
select broken_test, row_count
from (
    with brought as {{ 'not materialized ' if is_first_build() }}(
        {{ brought_rows(graph.nodes[unique_id], where, asked_by) }}
    )
        {%- for test in tests -%}
            {%- set arguments = dict(test.test_metadata.kwargs, model='brought') -%}
            {%- if referred_to(test) -%}
                {%- set parent = referred_to(test).relation_name -%}
                {%- if not is_first_build() -%}
                    {#- By keys, as an array: joined, Postgres reads all that may be referred to. -#}
                    {%- set keys = 'array(select distinct ' ~ arguments.column_name ~ ' from brought)' -%}
                    {%- set parent = '(select * from ' ~ parent ~ ' where ' ~ arguments.field ~ ' = any(' ~ keys ~ ')) as parent' -%}
                {%- endif -%}
                {%- do arguments.update(to=parent) -%}
            {%- endif %}
    {{ 'union all' if not loop.first }}
    select
        '{{ test.name }}' as broken_test,
        count(*) as row_count
    from ({{ context['test_' ~ test.test_metadata.name](**arguments) }}) as failures
    having count(*) > 0
        {%- endfor %}
) as failures
union all
    {%- endfor %}
select null, null where false
{% endmacro %}


{# In the transaction that writes a table, where the loads that it reads are known, by its keys; after it by the load of a row. #}
{% macro brought_rows(tested, where, asked_by) %}
    {%- set conditions = [where or 'true'] -%}
    {%- if is_first_build() -%}
        {#- All. Tests of staging would look at what core has not read yet: nothing, when all is built. -#}
        {%- set conditions = ['true'] if tested.fqn[1] == 'staging' else conditions -%}
    {%- elif tested.config.materialized == 'incremental' and 'load_id' in tested.columns -%}
        {%- do conditions.append(is_new_row(tested.alias)) -%}
    {%- elif asked_by == 'own' and tested.config.meta.get('affected_by') -%}
        {%- do conditions.append(is_affected(tested)) -%}
    {%- elif tested.config.meta.get('affected_by') -%}
        {%- do conditions.append(is_affected(tested, is_new_row(tested.alias))) -%}
    {%- elif tested.config.materialized == 'view' and tested.fqn[1] != 'staging' -%}
        {%- do conditions.append(is_brought(tested)) -%}
    {%- endif -%}
    select * from {{ tested.relation_name }}
    where {{ conditions | join('\n            and ') }}
{%- endmacro %}


{# Post-hook of models and seeds. It is called where dbt executes, not where it parses: it is no part of a fingerprint. #}
{% macro refuse_rows_that_fail_a_test() %}
    {%- if is_first_build() or (is_refresh() and model.config.materialized == 'incremental') -%}
        {{ refuse(failures_of_tests('own', of_node=model.unique_id)) }}
    {%- endif -%}
{% endmacro %}


{# On run start. #}
{% macro refuse_records_that_fail_a_test() %}
    {%- if execute and is_refresh() -%}
        {{ refuse(failures_of_tests('staging')) }}
    {%- else -%}
        select 1
    {%- endif -%}
{% endmacro %}


{# Ends the transaction where a test fails, and names the test. #}
{% macro refuse(failures) -%}
    {%- if 'broken_test' in failures -%}
do $tests$
declare
    broken text;
begin
    -- As a text, for a query that PL/pgSQL knows itself runs on one core.
    execute $query$
        select string_agg(failures.broken_test || ', ' || failures.row_count || ' rows', '; ')
        from ({{ failures }}) as failures
    $query$ into broken;
    if broken is not null then
        raise exception 'refused, because tests fail: %', broken;
    end if;
end
$tests$
    {%- endif -%}
{%- endmacro %}


{#
  SQL: whether a row of a view is of a chat, or of a day, week or month, that the last build of facts changed (CTEs of
  failures_of_tests). An array, because Postgres hands no subquery down into a view that is a union or an aggregate.
#}
{% macro is_brought(view) -%}
    {%- set column = brought_by(view) -%}
        {{ column }} = any(array(select {{ 'chat_id from brought_chats' if column == 'chat_id' else 'on_date from brought_days' }}))
{%- endmacro %}


{# The column that says whether a row of a view is of what was brought; none where there is no such column. #}
{% macro brought_by(view) %}
    {%- set columns = ['chat_id', 'local_date', 'week_start', 'month_start', 'period_start'] | select('in', view.columns) | list -%}
    {{ return(columns[0] if columns else none) }}
{% endmacro %}
