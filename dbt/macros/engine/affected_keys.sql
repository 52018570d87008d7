{#
  Incremental strategy affected_keys: delete the rows of every key that the new loads affect, then insert what the
  model returned for them, in one transaction. dbt's own delete+insert deletes only the keys that come back, so a chat
  that lost all its messages, or a week that lost all its chats, would keep its old rows.

  A chat whose month is archived (archives.sql) stays as it is in all models of chats: what it was made from is not there.

  Config: unique_key, the column whose values are replaced as a whole, or a list of columns; meta.affected_by, the model that lists
  (key, load_id), a row for each key that a load affects. Without affected_by, the affected keys are those that the model returned.
#}
{% macro get_incremental_affected_keys_sql(arg_dict) %}
    {%- set key = arg_dict.unique_key if arg_dict.unique_key is string else arg_dict.unique_key | join(', ') -%}
    {%- set affected_by = config.get('meta').get('affected_by') -%}
    {%- set is_kept = is_archived(key) -%}
    {%- set columns = arg_dict.dest_columns | map(attribute='quoted') | join(', ') -%}
    {%- if affected_by %}
    {#- A table that is kept though all loads are read: keys that no longer exist must go as well. #}
    delete from {{ arg_dict.target_relation }}
    where {{ all_loads_are_read() }}{{ ' and not ' ~ is_kept if is_kept }};
    {%- endif %}
    delete from {{ arg_dict.target_relation }}
    where {% if affected_by -%}
        {{ is_affected(model) }}
        {%- else -%}
        ({{ key }}) in (select {{ key }} from {{ arg_dict.temp_relation }})
        {%- endif -%}
    {{ ' and not ' ~ is_kept if is_kept }};
    {%- if config.get('meta').get('partitioned_by') and placement() == 'local' %}
    {{ keep_months(arg_dict.target_relation, arg_dict.temp_relation, config.get('meta').get('partitioned_by')) }};
    {%- endif %}
    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict.temp_relation }}
    {%- if is_kept %}
    where not {{ is_kept }}
    {%- endif %}
{% endmacro %}


{#
  SQL: whether a row of this model (a node of the graph) is of a key that the loads it reads affect, or those of another
  window; one column as an array (is_of).
#}
{% macro is_affected(node, window=load_window('affected')) -%}
    {%- set key = node.config.unique_key if node.config.unique_key is string else node.config.unique_key | join(', ') -%}
    ({{ key }}) {{ 'in (' if ',' in key else '= any(array(' }}
            select {{ node.config.meta.get('affected_key', key) }}
            from {{ graph.nodes['model.b2chat.' ~ node.config.meta.affected_by].relation_name }} as affected
            where {{ window }}
        {{ ')' if ',' in key else '))' }}
{%- endmacro %}


{#
  CTEs known, new and gone, for a model that keeps what no longer holds with the load that showed it (superseded_by_load_id):
  what is stored of the chats that were read anew (CTE chats), what they tell now (CTE told) and did not before, and what they
  told before and do not now.
  key: the columns that say the same thing when they are equal, as a list in SQL.
#}
{% macro known_new_and_gone(key) -%}
known as (
    {% if is_incremental() -%}
    select * from {{ this }}
    where {{ is_of('chats') }}
    {%- else -%}
    select
        told.*, 0::bigint as load_id, null::bigint as superseded_by_load_id
    from told
    where false
    {%- endif %}
),

new as (
    select {{ key }} from told
    except
    select {{ key }} from known where superseded_by_load_id is null
),

gone as (
    select {{ key }} from known where superseded_by_load_id is null
    except
    select {{ key }} from told
)
{%- endmacro %}


{#
  For a pre-hook: rows that no longer hold (superseded_by_load_id) go once the models that read them, to take off what they
  had added, have read that load.
#}
{% macro forget_superseded(read_by) -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }}
    where superseded_by_load_id <= (
        select min(coalesce(watermarks.load_id, 0))
        from unnest(array['{{ read_by | join("', '") }}']) as reader (model)
        left join ops.build_watermarks as watermarks on watermarks.model = reader.model
    )
        and current_setting('b2chat.high_watermark')::bigint > current_setting('b2chat.low_watermark')::bigint
    {%- endif -%}
{%- endmacro %}
