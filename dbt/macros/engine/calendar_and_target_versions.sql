{#
  Calendars and targets are seeds whose rows carry dates (meta: { effective_dated: true }): a row that counts from July on must not
  change what was judged in May. Such a seed is therefore no part of the fingerprints that rebuild whole models. A change
  of it takes a load id instead, from the same sequence as the pages of a sync: the rules load. int_rule_days finds the
  days on which other rules hold since then, and the chats of those days are touched by that load as by any other.
#}
{% macro create_rule_loads() %}
    create table if not exists intermediate.rule_loads (
        load_id bigint primary key,
        rules text not null,
        loaded_at timestamptz not null
    );
    comment on table intermediate.rule_loads is
        'One row per change of the dated seeds (hours, holidays, targets); load_id is of the sequence of ops.page_loads.';
{% endmacro %}


{#
  On run start: a load id for the dated seeds, if they are not as at the last one and this run loads them. Load ids must
  commit in order, so a sync that is writing is not waited for: the next build registers the change.
  The lock is the one of ingestion/writer.py, "writes to raw".
#}
{% macro register_calendar_and_target_versions() %}
    {%- if not execute or effective_dated_seeds() | map(attribute='unique_id') | reject('in', selected_resources) | list -%}
        {{ return('select 1') }}
    {%- endif -%}
    {%- set rules = calendar_and_target_hash() %}
    insert into intermediate.rule_loads (load_id, rules, loaded_at)
    select nextval(pg_get_serial_sequence('ops.page_loads', 'load_id')), '{{ rules }}', now()
    from (
        select (select loads.rules from intermediate.rule_loads as loads order by load_id desc limit 1) as rules
        offset 0
    ) as newest
    where case when newest.rules is distinct from '{{ rules }}' then {{ nobody_writes() }} end
{% endmacro %}


{% macro effective_dated_seeds() %}
    {%- set seeds = [] -%}
    {%- for node in graph.get('nodes', {}).values() if node.resource_type == 'seed' and node.config.meta.get('effective_dated') -%}
        {%- do seeds.append(node) -%}
    {%- endfor -%}
    {{ return(seeds) }}
{% endmacro %}


{# A hash of the dated seeds as their files are now. #}
{% macro calendar_and_target_hash() %}
    {{ return(local_md5(tojson(effective_dated_seeds() | sort(attribute='name') | map(attribute='checksum.checksum') | list))) }}
{% endmacro %}


{# SQL: whether no sync writes to raw; then none begins before this transaction ends. #}
{% macro nobody_writes() -%}
    exists (select from ops.lock_in_transaction('write', 'raw'))
{%- endmacro %}


{# SQL: the newest change of the dated seeds that the model has not seen yet; NULL when there is none. #}
{% macro new_version_load() -%}
    (select max(loads.load_id) from intermediate.rule_loads as loads where {{ load_window('loads') }})
{%- endmacro %}
