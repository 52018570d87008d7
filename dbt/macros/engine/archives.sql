{#
  Months that are in archives (dagster_project/warehouse/archive): their chats and messages are not in raw and core, but what
  was made from them stays. So a chat of such a month is not made again until it comes again or is restored, and a table
  that would be made anew from what is left is refused.
#}

{# SQL: whether a row of a model of chats is of a chat that is archived; nothing for models of anything else. #}
{% macro is_archived(key) -%}
    {%- if key == 'chat_id' or model.name == 'chats' -%}
    {{ key }} in (select record_key from ops.archived_records)
    {%- endif -%}
{%- endmacro %}


{# At the start: --full-refresh reads all there is, and there is not all. #}
{% macro refuse_to_lose_archives() %}
    {%- if execute and flags.FULL_REFRESH and flags.WHICH in ['build', 'run'] -%}
        {%- do require_all_months('everything') -%}
    {%- endif -%}
{% endmacro %}


{# For a model that is about to be made anew from chats or messages. #}
{% macro require_all_months(what) %}
    {%- set query -%}
        select distinct to_char(month, 'YYYY-MM') from ops.archives where state in ('detached', 'dropped') order by 1
    {%- endset -%}
    {%- set months = run_query(query).columns[0].values() -%}
    {%- if months -%}
        {{ exceptions.raise_compiler_error(
            what ~ ' would be made anew from chats and messages, and these months are archived: ' ~ months | join(', ')
            ~ '. `b2chat build --with-archives` restores them first'
        ) }}
    {%- endif -%}
{% endmacro %}


{% macro is_made_from_chats() %}
    {%- for unique_id in lineage(model.unique_id) -%}
        {%- if graph.nodes[unique_id].name in ['stg_b2chat__chats', 'stg_b2chat__chat_versions', 'stg_b2chat__messages'] -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{% endmacro %}
