{#
  A seed whose file is unchanged since it was loaded is left alone (dbt truncates and reloads it on each build). A
  changed one is emptied by delete: truncate would wait for every BI session that has read a view on it, and a drop
  would take these views away.
#}
{% macro postgres__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {% set columns = adapter.get_columns_in_relation(old_relation) | map(attribute='name') | list %}
    {% if columns != agate_table.column_names | list %}
        {{ return(default__reset_csv_table(model, true, old_relation, agate_table)) }}
    {% elif full_refresh or not is_built_as_now() %}
        {% call statement('empty_seed') %}delete from {{ old_relation }}{% endcall %}
    {% endif %}
    {{ return('-- filled anew where its file changed') }}
{% endmacro %}


{% macro postgres__load_csv_rows(model, agate_table) %}
    {% if run_query('select exists (select 1 from ' ~ this ~ ')').columns[0].values()[0] %}
        {{ return('-- unchanged') }}
    {% endif %}
    {{ return(default__load_csv_rows(model, agate_table)) }}
{% endmacro %}


{# Statistics of a seed that has none yet: the planner would guess its size. #}
{% macro analyze_new_seed() %}
    do $$ begin
        if (select reltuples < 0 from pg_class where oid = '{{ this }}'::regclass) then
            analyze {{ this }};
        end if;
    end $$
{% endmacro %}
