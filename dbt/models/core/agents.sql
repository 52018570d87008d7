{{ config(
    unique_key='id',
    meta={'placement': 'reference'},
    indexes=[
        {'columns': ['b2chat_id'], 'unique': true},
        {'columns': ['username'], 'unique': true},
        {'columns': ['department_id']},
        {'columns': ['is_active']},
        {'columns': ['is_deleted']},
        {'columns': ['load_id']},
    ],
) }}

with named as (
    select distinct on (agent_id)
        agent_id,
        agent_name as name,
        agent_email as email,
        agent_username as username,
        load_id,
        loaded_at
    from {{ ref('stg_b2chat__chats') }}
    where agent_id is not null and {{ load_window('stg_b2chat__chats') }}
    order by agent_id, loaded_at desc, load_id desc, created_at desc nulls last, chat_id
),

-- Only the audit export has B2Chat's own ids of agents.
identified as (
    select distinct on (agent_id)
        agent_id,
        b2chat_agent_id
    from {{ ref('int_b2chat__audited_chats') }}
    where b2chat_agent_id is not null and {{ load_window('int_b2chat__audited_chats') }}
    order by agent_id, load_id desc, created_at desc nulls last, chat_id
),

-- Who has no chat any more still has a name: a transfer took the last one away, or B2Chat left the agent out of it.
former as (
    select distinct on (agent_id)
        agent_id,
        agent_name as name,
        agent_email as email,
        agent_username as username,
        landed_load_id as load_id,
        loaded_at
    from {{ ref('stg_b2chat__chat_versions') }}
    where agent_id is not null and {{ load_window('stg_b2chat__chat_versions') }}
        and agent_id not in (select agent_id from named)
        {%- if is_incremental() %}
        and agent_id not in (select id from {{ this }})
        {%- endif %}
    order by agent_id, landed_load_id desc, chat_id
),

seen as (
    select * from named
    union all
    select * from former
    {% if is_incremental() -%}
    union all
    select known.id, known.name, known.email, known.username, known.load_id, known.last_sync_at
    from {{ this }} as known
    inner join identified on identified.agent_id = known.id
    where known.id not in (select agent_id from named)
    {%- endif %}
)

select
    seen.agent_id as id,
    seen.agent_id as b2chat_id,
    seen.name,
    seen.email,
    seen.username,
    null::text as department_id,
    true as is_active,
    false as is_deleted,
    null::timestamptz as deleted_at,
    null::text as deletion_reason,
    seen.loaded_at as last_sync_at,
    {% if is_incremental() %}coalesce(known.created_at, seen.loaded_at){% else %}seen.loaded_at{% endif %} as created_at,
    seen.loaded_at as updated_at,

    {# By way of JSON: a table that was built before the column was thought of does not have it yet. -#}
    {%- set known_id = "(to_jsonb(known) ->> 'b2chat_agent_id')" -%}
    {% if is_incremental() %}coalesce(identified.b2chat_agent_id, {{ known_id }}){% else %}identified.b2chat_agent_id{% endif %} as b2chat_agent_id,
    seen.load_id
from seen
left join identified on identified.agent_id = seen.agent_id
{% if is_incremental() -%}
left join {{ this }} as known on known.id = seen.agent_id
where known.id is null
    -- A chat that is read again, because its contact was erased, says what was known when it came.
    or (
        (known.name, known.email, known.username) is distinct from (seen.name, seen.email, seen.username)
        and seen.loaded_at >= known.last_sync_at
    )
    or identified.b2chat_agent_id <> coalesce({{ known_id }}, '')
{%- endif %}
