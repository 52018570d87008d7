{#
  Calendars and targets are seeds whose rows carry dates (meta: { dated: true }): a row that counts from July on must not
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
{% macro register_rules() %}
    {%- if not execute or dated_seeds() | map(attribute='unique_id') | reject('in', selected_resources) | list -%}
        {{ return('select 1') }}
    {%- endif -%}
    {%- set rules = dated_rules() %}
    insert into intermediate.rule_loads (load_id, rules, loaded_at)
    select nextval(pg_get_serial_sequence('ops.page_loads', 'load_id')), '{{ rules }}', now()
    from (
        select (select loads.rules from intermediate.rule_loads as loads order by load_id desc limit 1) as rules
        offset 0
    ) as newest
    where case when newest.rules is distinct from '{{ rules }}' then {{ nobody_writes() }} end
{% endmacro %}


{% macro dated_seeds() %}
    {%- set seeds = [] -%}
    {%- for node in graph.get('nodes', {}).values() if node.resource_type == 'seed' and node.config.meta.get('dated') -%}
        {%- do seeds.append(node) -%}
    {%- endfor -%}
    {{ return(seeds) }}
{% endmacro %}


{# A hash of the dated seeds as their files are now. #}
{% macro dated_rules() %}
    {{ return(local_md5(tojson(dated_seeds() | sort(attribute='name') | map(attribute='checksum.checksum') | list))) }}
{% endmacro %}


{# SQL: whether no sync writes to raw; then none begins before this transaction ends. #}
{% macro nobody_writes() -%}
    exists (select from ops.lock_in_transaction('write', 'raw'))
{%- endmacro %}


{# SQL: the newest change of the dated seeds that the model has not seen yet; NULL when there is none. #}
{% macro new_rules_load() -%}
    (select max(loads.load_id) from intermediate.rule_loads as loads where {{ load_window('loads') }})
{%- endmacro %}


{# Whether a row of int_rule_changes changes a time of a chat. #}
{% macro rule_concerns_chat(changes, chats, message_facts, calendars) -%}
    (
        {{ changes }}.rule_kind = 'calendar'
        and {{ changes }}.rule_name = {{ calendars }}.calendar
        and {{ changes }}.days && {{ chat_days(chats, message_facts) }}
        or {{ changes }}.rule_kind = 'department'
        and {{ changes }}.rule_name = {{ chats }}.department_id
        and {{ changes }}.days @> {{ chats }}.created_local_date
    )
{%- endmacro %}


{# The local days from the first to the last thing that happened to a chat. Here least and greatest may ignore NULL. #}
{% macro chat_days(chats, message_facts) -%}
    daterange(
        {{ local_time("least(" ~ chats ~ ".created_at, " ~ chats ~ ".opened_at, " ~ message_facts ~ ".first_customer_at)") }}::date,
        {{ local_time(
            "greatest(" ~ chats ~ ".created_at, " ~ chats ~ ".opened_at, " ~ chats ~ ".picked_up_at, "
            ~ chats ~ ".response_at, " ~ chats ~ ".closed_at, " ~ message_facts ~ ".last_replied_at)"
        ) }}::date,
        '[]'
    )
{%- endmacro %}
