{#
  Incremental models read the loads after their low watermark, the last one they have read, up to their high watermark. Both
  are fixed once, in the transaction that writes the model, and stored by the same transaction: what was read and what is
  remembered as read cannot differ.

  The high watermark of a model is the lowest of the incremental models above it, so a model never runs ahead of what it
  reads. A model with none above it reads up to var load_ceiling, or what was landed when the run began, versions of
  calendars and targets included: so no model of a run is ahead of another, a chat not of its agent, in whatever order
  they are built.
#}
{% macro open_load_window() %}
    set local lock_timeout = '60s';
    {%- if execute and config.get('materialized') == 'incremental' %}
    {{ set_watermarks(stored_watermark() if is_incremental() else '0', highest_ready_load()) }}
    {%- endif -%}
{% endmacro %}


{% macro load_window(relation, load='load_id') -%}
    {{ relation }}.{{ load }} > current_setting('b2chat.low_watermark')::bigint
    and {{ relation }}.{{ load }} <= current_setting('b2chat.high_watermark')::bigint
{%- endmacro %}


{# SQL: whether the model reads all loads: it is new, or built from something else than before. #}
{% macro all_loads_are_read() -%}
    current_setting('b2chat.low_watermark') = '0'
{%- endmacro %}


{# In a view: whether a load is one that the model which reads the view, in this transaction, must not see yet. #}
{% macro is_above_high_watermark(relation, load='load_id') -%}
    coalesce({{ relation }}.{{ load }} > nullif(current_setting('b2chat.high_watermark', true), '')::bigint, false)
{%- endmacro %}


{# In a view: the last load that the model which reads the view has seen; NULL where no model does. #}
{% macro low_watermark() -%}
    nullif(current_setting('b2chat.low_watermark', true), '')::bigint
{%- endmacro %}


{% macro close_load_window() %}
    {%- if execute -%}
    {{ record_fingerprint() }};
    {%- if config.get('materialized') == 'incremental' %}
    insert into ops.build_watermarks as stored (model, load_id, after_load_id, built_at)
    values (
        '{{ model.alias }}',
        current_setting('b2chat.high_watermark')::bigint,
        current_setting('b2chat.low_watermark')::bigint,
        now()
    )
    on conflict (model) do update set
        load_id = excluded.load_id, after_load_id = excluded.after_load_id, built_at = excluded.built_at
    where excluded.after_load_id < excluded.load_id;
    {%- if placement() != 'reference' %}
    {#-
      Statistics, or the next model is planned for an empty table. A table, or a month of one, that hardly grew keeps the
      ones it has.
    #}
    do $$
    declare
        grown text;
    begin
        if {{ all_loads_are_read() }} then
            analyze {{ this }};
        else
            for grown in
                select oid::regclass
                from pg_class
                where relkind = 'r'
                    and oid in (
                        select '{{ this }}'::regclass
                        union all
                        select inhrelid from pg_inherits where inhparent = '{{ this }}'::regclass
                    )
                    and pg_relation_size(oid) > 1.1 * relpages * current_setting('block_size')::integer
            loop
                execute format('analyze %s', grown);
            end loop;
        end if;
    end $$
    {%- endif %}
    {%- endif -%}
    {%- endif -%}
{% endmacro %}


{# SQL: the last load this model has read; 0 when it was built from something else than today. #}
{% macro stored_watermark() -%}
    select coalesce(max(watermarks.load_id), 0)
    from ops.build_watermarks as watermarks
    inner join ops.build_fingerprints as built
        on built.relation = '{{ this.schema }}.{{ this.identifier }}'
        and built.fingerprint = '{{ fingerprint(model) }}'
    where watermarks.model = '{{ model.alias }}'
{%- endmacro %}


{# SQL: the last load that everything above this model has read. #}
{% macro highest_ready_load() -%}
    {%- set parents = [] -%}
    {%- for unique_id in lineage(model.unique_id) if unique_id != model.unique_id -%}
        {%- if graph.nodes[unique_id].config.materialized == 'incremental' -%}
            {%- do parents.append(graph.nodes[unique_id].alias) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if parents -%}
    select min(coalesce(watermarks.load_id, 0))
    from unnest(array['{{ parents | join("', '") }}']) as parent (model)
    left join ops.build_watermarks as watermarks on watermarks.model = parent.model
    {%- elif var('load_ceiling') is not none -%}
    {{ var('load_ceiling') | int }}
    {%- else -%}
    select greatest(
        (select load_id from ops.last_build),
        (select coalesce(max(load_id), 0) from ops.calendar_and_target_versions)
    )
    {%- endif -%}
{%- endmacro %}


{#
  SQL: whether a row is of one of the chats, or another key, of a CTE. An array is looked up by key, also in a view that is a union
  or that Postgres takes for wider than it is; a subquery it may join to all of history for ten chats. All chats at once are joined:
  in a table that is made anew, in a test that looks at everything.

  brought: the CTE; key: the column of the row; brought_key: what the CTE calls it.
#}
{% macro is_of(brought, key='chat_id', brought_key=key) -%}
    {%- set is_step = model.resource_type != 'unit_test' and is_incremental() -%}
    {%- if is_step or (model.resource_type == 'test' and not var('test_everything')) -%}
    {{ key }} = any(array(select {{ brought_key }} from {{ brought }}))
    {%- else -%}
    {{ key }} in (select {{ brought_key }} from {{ brought }})
    {%- endif -%}
{%- endmacro %}
