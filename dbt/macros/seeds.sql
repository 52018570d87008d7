{# A seed whose file is unchanged since it was loaded is left alone (dbt truncates and reloads it on each build). #}
{% macro postgres__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {% if full_refresh or not is_built_as_now() %}
        {{ return(default__reset_csv_table(model, full_refresh, old_relation, agate_table)) }}
    {% endif %}
    {{ return('-- unchanged') }}
{% endmacro %}


{% macro postgres__load_csv_rows(model, agate_table) %}
    {% if run_query('select exists (select from ' ~ this ~ ')').columns[0].values()[0] %}
        {{ return('-- unchanged') }}
    {% endif %}
    {{ return(default__load_csv_rows(model, agate_table)) }}
{% endmacro %}
