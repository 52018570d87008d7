{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_b2chat__identified_chats'},
    indexes=[{'columns': ['chat_id', 'version'], 'unique': true}, {'columns': ['load_id']}],
) }}

-- Payloads are large: each version is unpacked here once, for all that ask what a chat was like before.
{%- set read = ['b2chat_status', 'agent_id', 'priority', 'opened_at', 'picked_up_at', 'responded_at', 'closed_at'] %}
{%- set compared = (read + ['department_id']) | join(', ') %}

with newest as (
    select * from {{ ref('int_b2chat__identified_chats') }}
    where {{ load_window('int_b2chat__identified_chats') }}
),

versions as (
    select
        chat_id,
        version,
        loaded_at as observed_at,
        {{ read | join(', ') }},
        department_id,
        true as is_newest,
        load_id
    from newest

    union all

    select
        past.chat_id,
        past.version,
        past.loaded_at as observed_at,
        past.{{ read | join(', past.') }},
        coalesce(past.department_code, codes.department_code, past.department_name) as department_id,
        false as is_newest,
        past.landed_load_id as load_id
    from {{ ref('stg_b2chat__chat_versions') }} as past
    left join {{ ref('int_b2chat__department_codes') }} as codes
        on past.department_code is null
        and codes.department_name = past.department_name
        and not {{ is_above_high_watermark('codes') }}
    where past.chat_id in (select chat_id from newest)
),

-- Most versions differ in their messages only.
told as (
    select
        *,
        coalesce(row({{ compared }}) <> lag(row({{ compared }})) over history, true) as is_told
    from versions
    window history as (partition by chat_id order by version)
)

select
    chat_id,
    version,
    observed_at,
    {{ read | join(',\n    ') }},
    department_id,
    is_newest,
    load_id
from told
where is_told or is_newest
