{#
  The same models on a Citus cluster: docs/scale.md says when, and what is known of it. B2CHAT_CITUS turns it on; without
  it each macro here gives what plain Postgres gets.

  meta.placement says where a stored table lies: local (on the coordinator, as everything does by default), reference (a
  copy on each node), or the column by which its rows are spread.
#}
{% macro is_on_citus() -%}
    {{ return((var('citus', env_var('B2CHAT_CITUS', 'false')) | string | lower) in ('true', '1')) }}
{%- endmacro %}


{% macro placement() -%}
    {{ return(config.get('meta', {}).get('placement', 'local') if execute and is_on_citus() else 'local') }}
{%- endmacro %}


{% macro is_spread() -%}
    {{ return(placement() not in ('local', 'reference')) }}
{%- endmacro %}


{# SQL: a table is made empty, spread, and filled where its rows lie: no row passes the coordinator. #}
{% macro create_placed_table_as(relation, columns, sql) -%}
    create table {{ relation }} as
    select {{ columns }} from (
        {{ sql }}
    ) as model_subq
    with no data;
    {% if placement() == 'reference' -%}
    select create_reference_table('{{ relation }}');
    {%- else -%}
    select create_distributed_table('{{ relation }}', '{{ placement() }}');
    {%- endif %}
    insert into {{ relation }}
    select {{ columns }} from (
        {{ sql }}
    ) as model_subq
{%- endmacro %}


{# Citus knows no key over shards: the column by which rows are spread comes first in each. #}
{% macro placed_key(columns) -%}
    {{ return(columns if not is_spread() or placement() in columns else [placement()] + columns) }}
{%- endmacro %}


{% macro placed_constraints(constraints) -%}
    {%- set placed = [] -%}
    {%- for constraint in constraints -%}
        {%- set is_key = constraint.type in ('primary_key', 'unique') -%}
        {%- do placed.append(dict(constraint, columns=placed_key(constraint.columns)) if is_key else constraint) -%}
    {%- endfor -%}
    {{ return(placed) }}
{%- endmacro %}


{# A unique index over another column is a plain one there: what it held, a data test holds. #}
{% macro placed_index(index) -%}
    {{ return(dict(index, unique=index.get('unique', false) and (not is_spread() or placement() in index.columns))) }}
{%- endmacro %}


{#
  SQL: the two settings by which models see their loads. Citus would send a setting of ours to workers that do not know it,
  and set_config cannot be kept from it; values are read first, for SET takes no query.
#}
{% macro set_watermarks(low, high) -%}
    {%- if execute and is_on_citus() -%}
    {%- set read = run_query('select (' ~ low ~ ')::text, (' ~ high ~ ')::text').rows[0] %}
    set local citus.propagate_set_commands = 'local';
    set local b2chat.low_watermark = '{{ read[0] }}';
    set local b2chat.high_watermark = '{{ read[1] }}'
    {%- else %}
    select
        set_config('b2chat.low_watermark', ({{ low }})::text, true),
        set_config('b2chat.high_watermark', ({{ high }})::text, true)
    {%- endif -%}
{%- endmacro %}


{# Keeps Postgres from merging a lateral query into its reader's. Citus cannot send such a fence to workers. #}
{% macro planner_fence() -%}
    {{ '' if is_on_citus() else 'offset 0' }}
{%- endmacro %}
