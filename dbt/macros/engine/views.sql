{#
  dbt builds a view anew on each run: it renames, swaps and drops with cascade, which waits for every open BI session
  that has read the view, and takes BI's own views on it away. A view that is unchanged since it was built is left
  alone; a changed one is replaced in place, with its rights and all that stands on it, unless it lost, renamed or
  retyped a column.
#}
{% materialization view, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set found = look_at_view(this) -%}
    {%- if found == 'unchanged' and not should_full_refresh() and not config.get('grants') -%}
        {% call noop_statement('main', 'UNCHANGED') %}{{ sql }}{% endcall %}
        {%- do persist_docs(target_relation, model) -%}
        {{ adapter.commit() }}
        {{ return({'relations': [target_relation]}) }}
    {%- elif found == 'other' -%}
        {{ return(dbt.materialization_view_default()) }}
    {%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') %}{{ replace_view(target_relation, sql) }}{% endcall %}
    {%- if found == 'changed'
        and run_query("select current_setting('b2chat.view_is_replaced')").columns[0].values()[0] == 'no' -%}
        {%- do adapter.drop_relation(target_relation) -%}
        {{ return(dbt.materialization_view_default()) }}
    {%- endif -%}
    {%- do apply_grants(target_relation, config.get('grants'), should_revoke=true) -%}
    {%- do persist_docs(target_relation, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{#
  What stands under the view's name: missing, other (a table), changed (a view of other text) or unchanged. The catalog
  is asked, not dbt's cache: a view may have gone with a table that this run dropped.
#}
{% macro look_at_view(relation) %}
    {%- call statement('look_at_view', fetch_result=true) -%}
        select case
            when relation.oid is null then 'missing'
            when relation.relkind <> 'v' then 'other'
            when built.relation is null then 'changed'
            else 'unchanged'
        end
        from (values (to_regclass('{{ relation }}'))) as named (oid)
        left join pg_class as relation on relation.oid = named.oid
        left join ops.build_fingerprints as built
            on built.relation = '{{ this.schema }}.{{ this.identifier }}' and built.fingerprint = '{{ fingerprint(model) }}'
    {%- endcall -%}
    {{ return(load_result('look_at_view').table.columns[0].values()[0]) }}
{% endmacro %}


{# Columns may be added at the end; Postgres refuses to replace a view in any other shape. #}
{% macro replace_view(relation, sql) %}
    do $replace$
    begin
        perform set_config('b2chat.view_is_replaced', 'yes', true);
        {{ with_lock_retry(get_replace_view_sql(relation, sql)) }};
    exception when invalid_table_definition then
        perform set_config('b2chat.view_is_replaced', 'no', true);
    end
    $replace$
{% endmacro %}
