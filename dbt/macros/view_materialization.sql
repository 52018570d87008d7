{#
  dbt builds a view anew on each run: it renames, swaps and drops with cascade, which waits for every open BI session
  that has read the view, and takes BI's own views on it away. A view that is unchanged since it was built is left alone.
#}
{% materialization view, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set exists = "select to_regclass('" ~ this ~ "') is not null" -%}
    {%- if not (run_query(exists).columns[0].values()[0] and is_built_as_now()) -%}
        {{ return(dbt.materialization_view_default()) }}
    {%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call noop_statement('main', 'UNCHANGED') %}{{ sql }}{% endcall %}
    {%- do apply_grants(target_relation, config.get('grants'), should_revoke=true) -%}
    {%- do persist_docs(target_relation, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
