{{ config(
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_b2chat__chat_versions'},
    indexes=[
        {'columns': ['chat_id', 'field', 'version']},
        {'columns': ['field', 'observed_at']},
        {'columns': ['load_id']},
    ],
) }}

with versions as (
    select * from {{ ref('int_b2chat__chat_versions') }}
    where chat_id in (
        select chat_id from {{ ref('int_b2chat__chat_versions') }} as affected
        where {{ load_window('affected') }}
    )
),

states as (
    select
        versions.chat_id,
        versions.version,
        versions.observed_at,
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
),

-- A name that was missing for a while parts nothing: the one before it was the last one known.
transferred as (
    select
        *,
        lag(value) over (partition by chat_id, field, value is null order by version) as last_known_value
    from compared
)

select
    md5(concat_ws(chr(31), chat_id, version, field)) as id,
    chat_id,
    field,
    old_value,
    value as new_value,
    observed_at,
    event_at,
    version,
    is_initial,
    coalesce(field in ('agent', 'department') and last_known_value <> value, false) as is_transfer,
    field = 'status' and {{ dictionary_status('old_value') }} is not distinct from 'closed'
        and {{ dictionary_status('value') }} in ('open', 'pending') as is_reopening,
    load_id
from transferred
where value is distinct from old_value
