{#
  Descriptions of a relation and its columns, into the database: one statement that writes what differs. dbt's own way
  takes four for each relation in each build, and a lock on what BI reads for each comment that is there already.
#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set described = [] -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do described.append('(null, ' ~ postgres_escape_comment(model.description) ~ ')') -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() -%}
        {%- for column in model.columns.values() -%}
            {%- do described.append("('" ~ column.name ~ "', " ~ postgres_escape_comment(column.description) ~ ')') -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if described -%}
        {%- do run_query(write_descriptions(relation, described)) -%}
    {%- endif -%}
{%- endmacro %}


{% macro write_descriptions(relation, described) %}
    do $describe$
    declare
        due record;
    begin
        for due in
            select
                case
                    when attribute.attname is not null
                        then format('column %s.%I', relation.oid::regclass, attribute.attname)
                    else format(case relation.relkind when 'v' then 'view %s' else 'table %s' end, relation.oid::regclass)
                end as what,
                described.description
            from (values {{ described | join(', ') }}) as described (column_name, description)
            inner join pg_class as relation on relation.oid = '{{ relation }}'::regclass
            left join pg_attribute as attribute
                on attribute.attrelid = relation.oid
                and attribute.attname = described.column_name
                and attribute.attnum > 0
            where (described.column_name is null or attribute.attname is not null)
                and nullif(described.description, '') is distinct from case
                    when attribute.attnum is null then obj_description(relation.oid, 'pg_class')
                    else col_description(relation.oid, attribute.attnum)
                end
        loop
            execute format('comment on %s is %L', due.what, due.description);
        end loop;
    end
    $describe$
{% endmacro %}
