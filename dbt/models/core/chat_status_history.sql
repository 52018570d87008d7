{{ config(
    unique_key='chat_id',
    meta={'touched_by': 'int_identified_chats'},
    indexes=[
        {'columns': ['id'], 'unique': true},
        {'columns': ['chat_id', 'field', 'version']},
        {'columns': ['field', 'observed_at']},
        {'columns': ['load_id']},
    ],
) }}

{%- set read = [
    'chat_id', 'version', 'b2chat_status', 'agent_id', 'priority', 'opened_at', 'picked_up_at', 'responded_at',
    'closed_at', 'loaded_at'
] %}

with touched as (
    select
        {{ read | join(', ') }},
        department_id,
        load_id
    from {{ ref('int_identified_chats') }}
    where {{ load_window('int_identified_chats') }}
),

versions as (
    select * from touched
    union all
    select
        past.{{ read | join(', past.') }},
        coalesce(past.department_code, codes.department_code, past.department_name) as department_id,
        past.landed_load_id as load_id
    from {{ ref('stg_b2chat__chat_versions') }} as past
    left join {{ ref('int_department_codes') }} as codes
        on past.department_code is null
        and codes.department_name = past.department_name
        and not {{ is_beyond_ceiling('codes') }}
    where past.chat_id in (select chat_id from touched)
),

states as (
    select
        versions.chat_id,
        versions.version,
        versions.loaded_at,
        versions.load_id,
        state.*
    from versions
    cross join lateral (
        values
        ('status', versions.b2chat_status, case versions.b2chat_status
            when 'OPENED' then versions.opened_at
            when 'PICKED_UP' then versions.picked_up_at
            when 'RESPONDED_BY_AGENT' then versions.responded_at
            when 'CLOSED' then versions.closed_at
            when 'COMPLETED_POLL' then versions.closed_at
            when 'COMPLETING_POLL' then versions.closed_at
            when 'ABANDONED_POLL' then versions.closed_at
        end),
        ('agent', versions.agent_id, null),
        ('department', versions.department_id, null),
        ('priority', versions.priority, null)
    ) as state (field, value, event_at)
),

compared as (
    select
        *,
        lag(value) over history as old_value,
        row_number() over history = 1 as is_initial
    from states
    window history as (partition by chat_id, field order by version)
)

select
    md5(concat_ws(chr(31), chat_id, version, field)) as id,
    chat_id,
    field,
    old_value,
    value as new_value,
    loaded_at as observed_at,
    event_at,
    version,
    is_initial,
    field in ('agent', 'department') and old_value is not null and value is not null as is_transfer,
    field = 'status' and {{ dictionary_status('old_value') }} is not distinct from 'closed'
        and {{ dictionary_status('value') }} in ('open', 'pending') as is_reopening,
    load_id
from compared
where value is distinct from old_value
