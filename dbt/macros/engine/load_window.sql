{#
  Incremental models read the loads after the last one they have seen, up to a ceiling. Both bounds are fixed once, in
  the transaction that writes the model, and the watermark is stored by the same transaction: what was read and what is
  remembered as read cannot differ.

  The ceiling of a model is the lowest watermark of the incremental models above it, so a model never runs ahead of
  what it reads. A model with none above it reads up to var load_ceiling, or all that is landed, changes of rules included.
#}
{% macro open_load_window() %}
    set local lock_timeout = '60s';
    {%- if execute and config.get('materialized') == 'incremental' %}
    select
        set_config('b2chat.loads_after', ({{ loads_seen() if is_incremental() else '0' }})::text, true),
        set_config('b2chat.loads_upto', ({{ loads_ready() }})::text, true);
    {{ allow_nulls_of_today() if is_incremental() else 'select' }}
    {%- endif -%}
{% endmacro %}


{#
  A table of an earlier version may refuse a NULL that today's contract allows, or that of a column which is gone: an
  incremental build keeps its table, so its NOT NULL goes here. Where all is as it should be, nothing is locked.
#}
{% macro allow_nulls_of_today() %}
    {%- set required = [] -%}
    {%- for column in model.columns.values() if 'not_null' in column.constraints | map(attribute='type') | list -%}
        {%- do required.append(column.name) -%}
    {%- endfor -%}
    {%- set stored -%}
        select attname from pg_attribute
        where attrelid = to_regclass('{{ this }}') and attnum > 0 and not attisdropped and attnotnull
            and attname <> all ('{ {{- required | join(',') -}} }')
            and not exists (select from pg_index where indrelid = attrelid and indisprimary and attnum = any (indkey))
    {%- endset -%}
    {%- set columns = run_query(stored).columns[0].values() -%}
    {%- if columns -%}
    {%- set changes = [] -%}
    {%- for column in columns -%}{%- do changes.append('alter column ' ~ adapter.quote(column) ~ ' drop not null') -%}{%- endfor -%}
    {{ with_lock_retry('alter table ' ~ this ~ ' ' ~ changes | join(', ')) }}
    {%- else -%}
    select
    {%- endif -%}
{% endmacro %}


{% macro load_window(relation) -%}
    {{ relation }}.load_id > current_setting('b2chat.loads_after')::bigint
    and {{ relation }}.load_id <= current_setting('b2chat.loads_upto')::bigint
{%- endmacro %}


{# In a view: whether a load is one that the model which reads the view, in this transaction, must not see yet. #}
{% macro is_beyond_ceiling(relation) -%}
    coalesce({{ relation }}.load_id > nullif(current_setting('b2chat.loads_upto', true), '')::bigint, false)
{%- endmacro %}


{# In a view: the last load that the model which reads the view has seen; NULL where no model does. #}
{% macro loads_after() -%}
    nullif(current_setting('b2chat.loads_after', true), '')::bigint
{%- endmacro %}


{% macro close_load_window() %}
    {%- if execute -%}
    {{ record_fingerprint() }};
    {%- if config.get('materialized') == 'incremental' %}
    insert into ops.build_watermarks as stored (model, load_id, after_load_id, built_at)
    values (
        '{{ model.alias }}',
        current_setting('b2chat.loads_upto')::bigint,
        current_setting('b2chat.loads_after')::bigint,
        now()
    )
    on conflict (model) do update set
        load_id = excluded.load_id, after_load_id = excluded.after_load_id, built_at = excluded.built_at
    where excluded.after_load_id < excluded.load_id;
    {#- Statistics, or the next model is planned for an empty table. A table that hardly grew keeps the ones it has. #}
    do $$ begin
        if current_setting('b2chat.loads_after') = '0' or (
            select pg_relation_size(oid) > 1.1 * relpages * current_setting('block_size')::integer
            from pg_class where oid = '{{ this }}'::regclass
        ) then
            analyze {{ this }};
        end if;
    end $$
    {%- endif -%}
    {%- endif -%}
{% endmacro %}


{# SQL: the last load this model has seen; 0 when it was built by other rules than today's. #}
{% macro loads_seen() -%}
    select coalesce(max(seen.load_id), 0)
    from ops.build_watermarks as seen
    inner join intermediate.build_fingerprints as built
        on built.relation = '{{ this.schema }}.{{ this.identifier }}'
        and built.fingerprint = '{{ fingerprint(model) }}'
    where seen.model = '{{ model.alias }}'
{%- endmacro %}


{# SQL: the last load that everything above this model has seen. #}
{% macro loads_ready() -%}
    {%- set parents = [] -%}
    {%- for unique_id in lineage(model.unique_id) if unique_id != model.unique_id -%}
        {%- if graph.nodes[unique_id].config.materialized == 'incremental' -%}
            {%- do parents.append(graph.nodes[unique_id].alias) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if parents -%}
    select min(coalesce(seen.load_id, 0))
    from unnest(array['{{ parents | join("', '") }}']) as parent (model)
    left join ops.build_watermarks as seen on seen.model = parent.model
    {%- elif var('load_ceiling') is not none -%}
    {{ var('load_ceiling') | int }}
    {%- else -%}
    select greatest(
        (select coalesce(max(load_id), 0) from ops.page_loads),
        (select coalesce(max(load_id), 0) from intermediate.rule_loads)
    )
    {%- endif -%}
{%- endmacro %}
