{#
  Calendars and targets are seeds whose rows carry dates (meta: { effective_dated: true }): a row that counts from July on
  must not change how May was evaluated. Such a seed is therefore no part of the fingerprints that rebuild whole models. A
  change of it is a new version of calendars and targets, and gets a load id from the same sequence as the pages of a sync.
  int_rule_days finds the days on which something else holds since then, and the chats of those days are affected by that
  load as by any other. So it is with who an agent is (seed agent_identities): int_agent_identities finds whose key changed, and the
  conversations of these are affected.
#}

{#
  On run start: a load id for the effective-dated seeds, if they are not as in the last version and this run loads them. Load
  ids must commit in order, so a sync that is writing is not waited for: the next build registers the change.
#}
{% macro register_calendar_and_target_versions() %}
    {%- if not execute or effective_dated_seeds() | map(attribute='unique_id') | reject('in', selected_resources) | list -%}
        {{ return('select 1') }}
    {%- endif -%}
    {%- set now_is = calendar_and_target_hash() %}
    insert into ops.calendar_and_target_versions (load_id, content_hash, loaded_at)
    select nextval(pg_get_serial_sequence('ops.page_loads', 'load_id')), '{{ now_is }}', now()
    from (
        select (
            select versions.content_hash from ops.calendar_and_target_versions as versions order by load_id desc limit 1
        ) as content_hash
        offset 0
    ) as newest
    where case when newest.content_hash is distinct from '{{ now_is }}' then {{ nobody_writes() }} end
{% endmacro %}


{% macro effective_dated_seeds() %}
    {%- set seeds = [] -%}
    {%- for node in graph.get('nodes', {}).values() if node.resource_type == 'seed' and node.config.meta.get('effective_dated') -%}
        {%- do seeds.append(node) -%}
    {%- endfor -%}
    {{ return(seeds) }}
{% endmacro %}


{# A hash of the effective-dated seeds as their files are now. #}
{% macro calendar_and_target_hash() %}
    {{ return(local_md5(tojson(effective_dated_seeds() | sort(attribute='name') | map(attribute='checksum.checksum') | list))) }}
{% endmacro %}


{# SQL: whether no sync writes to raw; then none begins before this transaction ends. The lock is ingestion's single_writer. #}
{% macro nobody_writes() -%}
    exists (select 1 from ops.lock_in_transaction('write', 'raw'))
{%- endmacro %}


{# SQL: the newest version of calendars and targets that the model has not read yet; NULL when there is none. #}
{% macro new_version_load() -%}
    (select max(versions.load_id) from ops.calendar_and_target_versions as versions where {{ load_window('versions') }})
{%- endmacro %}
