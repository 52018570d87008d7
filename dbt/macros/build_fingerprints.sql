{#
  A fingerprint says what a relation was built from: its own text, the text of every model and seed above it, and the
  account's zone. When it differs from the one stored at the last build, incremental models read all loads again, so
  that a corrected rule, a changed holiday or another zone leaves no old row behind; when it is the same, seeds and
  views are left alone, because rewriting them would take locks that an open BI session can hold up.
  Dated seeds are not part of it: macros/rules.sql says why. Text in macros is not part of it: after changing a macro, run once with --full-refresh.
#}
{% macro create_build_fingerprints() %}
    create schema if not exists intermediate;
    create table if not exists intermediate.build_fingerprints (
        relation text primary key,
        fingerprint text not null,
        built_at timestamptz not null
    );
    comment on table intermediate.build_fingerprints is
        'One row per relation that dbt builds: what it was built from, so that a changed rule or setting rebuilds it.';
{% endmacro %}


{% macro fingerprint(node) %}
    {%- set parts = [
        account_timezone(), var('business_calendar'), var('calendar_first_year'), var('calendar_last_year')
    ] -%}
    {%- for unique_id in lineage(node.unique_id) | sort
        if unique_id == node.unique_id or not graph.nodes[unique_id].config.meta.get('dated') -%}
        {%- do parts.append(graph.nodes[unique_id].checksum.checksum) -%}
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


{% macro is_built_as_now() %}
    {%- set stored -%}
        select count(*) from intermediate.build_fingerprints
        where relation = '{{ this.schema }}.{{ this.identifier }}' and fingerprint = '{{ fingerprint(model) }}'
    {%- endset -%}
    {{ return(run_query(stored).columns[0].values()[0] == 1) }}
{% endmacro %}


{% macro record_fingerprint() %}
    {%- if execute -%}
    insert into intermediate.build_fingerprints as stored (relation, fingerprint, built_at)
    values ('{{ this.schema }}.{{ this.identifier }}', '{{ fingerprint(model) }}', now())
    on conflict (relation) do update set fingerprint = excluded.fingerprint, built_at = excluded.built_at
    where stored.fingerprint <> excluded.fingerprint
    {%- endif -%}
{% endmacro %}
