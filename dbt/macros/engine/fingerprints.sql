{#
  A fingerprint says what a relation was built from: its own text, the text of every model and seed above it, the text of
  every macro of ours that these call, and the settings that models read. When it differs from the one of the last build,
  incremental models read all loads again, so that a corrected definition, a changed holiday or another zone leaves no old
  row behind; when it is the same, seeds and views are left alone, because rewriting them would take locks that an open BI
  session can hold up.

  Effective-dated seeds are not part of it: calendar_and_target_versions.sql says why. A macro counts with its comments, so
  a changed comment in a macro rebuilds what calls it. What dbt calls by itself to write a relation (materializations,
  strategies, hooks) does not count.

  It is worked out once in a run, and kept with the node: a model asks for it at each is_incremental(). So are the macros
  that a node calls: each node below asks for them.
#}
{% macro fingerprint(node) %}
    {%- set kept = graph.nodes[node.unique_id] -%}
    {%- if 'fingerprint' not in kept -%}
        {%- do kept.update(fingerprint=hash_of_all_above(node)) -%}
    {%- endif -%}
    {{ return(kept.fingerprint) }}
{% endmacro %}


{% macro hash_of_all_above(node) %}
    {%- set parts = [
        account_timezone(), var('business_calendar'), var('calendar_first_year'), var('calendar_last_year'),
        var('slot_min_chat_count'), var('classified_by'), activity_time(), stale_after()
    ] -%}
    {%- if is_on_citus() -%}
        {%- do parts.append(node.config.meta.get('placement', 'local')) -%}
    {%- endif -%}
    {%- set above = lineage(node.unique_id) -%}
    {%- set called = {} -%}
    {%- for unique_id in above | sort -%}
        {%- if unique_id == node.unique_id or not graph.nodes[unique_id].config.meta.get('effective_dated') -%}
            {%- do parts.append(graph.nodes[unique_id].checksum.checksum) -%}
        {%- endif -%}
        {%- do called.update(graph.nodes[unique_id].get('called_macros') or called_macros(unique_id)) -%}
    {%- endfor -%}
    {%- for macro_id in called | sort -%}
        {%- do parts.append(called[macro_id]) -%}
    {%- endfor -%}
    {{ return(local_md5(tojson(parts))) }}
{% endmacro %}


{# The node itself and all models and seeds above it. The list grows while it is walked: each node is looked at once. #}
{% macro lineage(unique_id) %}
    {%- set found = [unique_id] -%}
    {%- for node_id in found -%}
        {%- for parent in graph.nodes[node_id].depends_on.get('nodes', []) if parent in graph.nodes -%}
            {%- if parent not in found -%}
                {%- do found.append(parent) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}


{# The text of each macro of ours that a node calls, and of those that these call in turn, by its id; kept with the node. #}
{% macro called_macros(unique_id) %}
    {%- set kept = graph.nodes[unique_id] -%}
    {%- set texts, found = {}, [] -%}
    {%- do add_our_macros(found, kept.depends_on.macros) -%}
    {%- for macro_id in found -%}
        {#- The graph holds no macros; what is called by a name in a template knows its own text. -#}
        {%- set macro = context[macro_id.split('.')[2]].macro -%}
        {%- do texts.update({macro_id: macro.macro_sql}) -%}
        {%- do add_our_macros(found, macro.depends_on.macros) -%}
    {%- endfor -%}
    {%- do kept.update(called_macros=texts) -%}
    {{ return(texts) }}
{% endmacro %}


{% macro add_our_macros(found, macro_ids) %}
    {%- set ours = project_name -%}
    {%- for macro_id in macro_ids if macro_id not in found and macro_id.split('.')[1] == ours -%}
        {%- do found.append(macro_id) -%}
    {%- endfor -%}
{% endmacro %}


{# Asked once in a run, and kept with the node: dbt asks is_incremental() five times while it builds a model. #}
{% macro is_built_as_now() %}
    {%- set kept = graph.nodes[model.unique_id] -%}
    {%- if 'is_built_as_now' not in kept -%}
        {%- set stored -%}
            select count(*) from ops.build_fingerprints
            where relation = '{{ this.schema }}.{{ this.identifier }}' and fingerprint = '{{ fingerprint(model) }}'
        {%- endset -%}
        {%- do kept.update(is_built_as_now=run_query(stored).columns[0].values()[0] == 1) -%}
    {%- endif -%}
    {{ return(kept.is_built_as_now) }}
{% endmacro %}


{% macro record_fingerprint() %}
    {%- if execute -%}
    insert into ops.build_fingerprints as stored (relation, fingerprint, built_at)
    values ('{{ this.schema }}.{{ this.identifier }}', '{{ fingerprint(model) }}', now())
    on conflict (relation) do update set fingerprint = excluded.fingerprint, built_at = excluded.built_at
    where stored.fingerprint <> excluded.fingerprint
    {%- endif -%}
{% endmacro %}
