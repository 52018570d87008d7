{#
  The first build of a table under a contract, and a full refresh. dbt makes the table with all its constraints and inserts
  into it: each row then finds its place in the primary key one by one, on one core. Here the table is made from its rows,
  which Postgres may do on several cores, and gets constraints and indexes when it is full; both in the transaction
  of the build, so that a crash leaves the table as it was. The contract holds all the same: columns and types are
  compared before, and each column is cast to the type that the contract names.
#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- if not temporary and placement() != 'local' -%}
        {{ return(create_placed_table_as(relation, cast_columns() if config.get('contract').enforced else '*', sql)) }}
    {%- endif -%}
    {%- set planned = '' if temporary else join_whole_tables() -%}
    {%- if temporary or not config.get('contract').enforced -%}
        {{ return(planned ~ dbt.postgres__create_table_as(temporary, relation, sql)) }}
    {%- endif -%}
    {{ planned }}
    {{ get_assert_columns_equivalent(sql) }}
    {%- set month = config.get('meta').get('partitioned_by') -%}
    {%- set filled = relation.incorporate(path={'identifier': relation.identifier ~ '__rows'}) if month else relation %}
    create {{ 'unlogged ' if month or config.get('unlogged', false) }}table {{ filled }} as
    select {{ cast_columns() }}
    from (
        {{ sql }}
    ) as model_subq
    {%- if month %}
    ;
    create table {{ relation }} (like {{ filled }}) partition by range ({{ month }});
    {{ keep_months(relation, filled, month) }};
    select ops.keep_month('{{ relation }}', (now() at time zone 'UTC' + ahead * interval '1 month')::date)
    from generate_series(0, 3) as ahead;
    insert into {{ relation }} select * from {{ filled }};
    drop table {{ filled }}
    {%- endif -%}
{%- endmacro %}


{#
  A table that is made anew is made of all rows. Of the keys of a CTE Postgres expects 200, however many there are, and would
  look each of them up, in each month of messages.
#}
{% macro join_whole_tables() -%}
    set local enable_nestloop = off;
{%- endmacro %}


{#
  meta.partitioned_by: the column of an instant, by which a table under a contract lies in monthly partitions (UTC). There
  is one for each month that has rows, and those that dagster_project/warehouse/partitions.py makes ahead. The rows are
  made first, on several cores, without a log, and which months they are of is read from them: an INSERT runs on one core.
#}
{% macro keep_months(relation, rows, month) -%}
    select ops.keep_month('{{ relation }}', found.month)
    from (select distinct date_trunc('month', {{ month }} at time zone 'UTC')::date as month from {{ rows }}) as found
{%- endmacro %}


{# After a table has changed its name, its months are called by the new one. #}
{% macro name_months(relation) -%}
    do $name$
    declare
        part record;
    begin
        for part in
            select inhrelid::regclass as name, substring(relname from '_\d{4}_\d\d(?:_late)?$') as month
            from pg_inherits
            inner join pg_class on pg_class.oid = inhrelid
            where inhparent = to_regclass('{{ relation }}')
        loop
            execute format('alter table %s rename to %I', part.name, '{{ relation.identifier }}' || part.month);
        end loop;
    end
    $name$
{%- endmacro %}


{# dbt calls this right after it has made a table, before the table takes its name. #}
{% macro postgres__create_indexes(relation) -%}
    {%- if config.get('contract').enforced -%}
        {%- set changes = constraint_changes() -%}
        {%- for together in changes | batch(1 if placement() != 'local' else [changes | length, 1] | max) -%}
            {%- do run_query('alter table ' ~ relation ~ ' ' ~ together | join(', ')) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ default__create_indexes(relation) }}
{%- endmacro %}


{# What ALTER TABLE needs to be told for the model's constraints. #}
{% macro constraint_changes() -%}
    {%- set changes = [] -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints -%}
            {%- if constraint.type != 'not_null' -%}
                {{ exceptions.raise_compiler_error('a constraint other than not_null belongs to the model, not to ' ~ column.name) }}
            {%- endif -%}
            {%- do changes.append('alter column ' ~ quoted(column) ~ ' set not null') -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in adapter.render_raw_model_constraints(raw_constraints=placed_constraints(model.constraints)) -%}
        {%- do changes.append('add ' ~ constraint) -%}
    {%- endfor -%}
    {{ return(changes) }}
{%- endmacro %}


{# SQL: the columns of the contract, each as its type. #}
{% macro cast_columns() -%}
    {%- for column in model.columns.values() %}
        model_subq.{{ quoted(column) }}::{{ column.data_type }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro quoted(column) -%}
    {{ adapter.quote(column.name) if column.get('quote') else column.name }}
{%- endmacro %}


{#
  meta.indexed_where: by column, the condition under which an index that begins with it holds a row. A column that the API
  never fills keeps the data dictionary's index, which then costs next to nothing.
#}
{% macro postgres__get_create_index_sql(relation, index_dict) -%}
    {{ dbt.postgres__get_create_index_sql(relation, placed_index(index_dict)) }}
    {%- set condition = config.get('meta').get('indexed_where', {}).get(index_dict.columns[0]) -%}
    {{ ' where ' ~ condition if condition }}
{%- endmacro %}
