{#
  After a build without an error, two kinds of relations are dropped, the first with what is remembered of it: what dbt built
  once and whose model is gone or has another name (dbt itself leaves it for ever), and tables that another took the place of.
  What something else still stands on, a view of BI's say, or what is being read at the moment, stays until a later build.
#}
{% macro drop_forgotten_relations(results) %}
    {%- set failed = results | map(attribute='status') | map('string') | select('in', ['error', 'fail']) | list -%}
    {%- if not execute or flags.WHICH not in ['build', 'run'] or failed -%}
        {{ return('') }}
    {%- endif -%}
    {%- set known, schemas = [], [] -%}
    {%- for node in graph.nodes.values() if node.resource_type in ['model', 'seed'] -%}
        {%- do known.append(node.schema ~ '.' ~ node.alias) -%}
        {%- do schemas.append(node.schema) -%}
    {%- endfor %}
    do $forgotten$
    declare
        forgotten text;
        kind "char";
        count_before bigint := -1;
        count_now bigint := 0;
    begin
        set local lock_timeout = '1s';
        create temporary table forgotten_relations on commit drop as
        select relation from ops.build_fingerprints
        where relation <> all (array['{{ known | join("', '") }}'])
        union all
        -- Tables that another took the place of (lock_retry.sql): the views that they waited for have changed by now.
        select schemaname || '.' || tablename from pg_tables
        where tablename like '%\_\_dbt\_backup'
          and schemaname = any (array['{{ schemas | unique | join("', '") }}']);

        -- Again and again, because a table goes only after the views on it.
        while count_now <> count_before loop
            count_before := count_now;
            for forgotten in select relation from forgotten_relations loop
                begin
                    select relkind into kind from pg_class where oid = to_regclass(forgotten);
                    if kind is not null then
                        execute format('drop %s %s', case kind when 'v' then 'view' else 'table' end, to_regclass(forgotten));
                    end if;
                    delete from ops.build_watermarks where model = split_part(forgotten, '.', 2);
                    delete from ops.build_fingerprints where relation = forgotten;
                    delete from forgotten_relations where relation = forgotten;
                    count_now := count_now + 1;
                exception when dependent_objects_still_exist or lock_not_available then
                    null;
                end;
            end loop;
        end loop;
    end
    $forgotten$
{% endmacro %}
