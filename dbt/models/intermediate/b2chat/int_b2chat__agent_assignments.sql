{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_b2chat__chat_versions'},
    indexes=[{'columns': ['chat_id', 'assignment_number'], 'unique': true}, {'columns': ['load_id']}],
) }}

with versions as (
    select
        *,
        lag(picked_up_at) over history as picked_up_before,
        lag(b2chat_status) over history as status_before,
        max(load_id) over (partition by chat_id) as newest_load_id
    from {{ ref('int_b2chat__chat_versions') }}
    where chat_id in (
        select chat_id from {{ ref('int_b2chat__chat_versions') }} as affected
        where {{ load_window('affected') }}
    )
    window history as (partition by chat_id order by version)
),

-- A version without an agent's name ends nothing: B2Chat leaves it out when the agent is deactivated.
named as (
    select
        *,
        lag(agent_id) over (partition by chat_id order by version) as previous_agent_id
    from versions
    where agent_id is not null
),

changed as (
    select
        chat_id,
        version,
        agent_id,
        previous_agent_id,
        date_trunc('second', observed_at) as observed_at,
        case
            when picked_up_at <> coalesce(picked_up_before, '-infinity')
                or (b2chat_status = 'PICKED_UP' and status_before <> 'PICKED_UP')
                then picked_up_at
        end as picked_up_at,
        newest_load_id
    from named
    where agent_id is distinct from previous_agent_id
),

-- The API gives no time of a transfer: it is the new agent's pick-up, if the version that shows the agent tells of one, or
-- else when a sync saw it. Whoever was seen with a chat had it until then, hence the running maximum.
taken as (
    select
        *,
        max(case when previous_agent_id is null then observed_at else least(picked_up_at, observed_at) end)
            over (partition by chat_id order by version) as taken_at
    from changed
)

select
    chat_id,
    row_number() over history::integer as assignment_number,
    agent_id,
    previous_agent_id,
    case when previous_agent_id is null then '-infinity' else taken_at end as assigned_from,
    lead(taken_at, 1, 'infinity') over history as assigned_to,
    newest_load_id as load_id
from taken
window history as (partition by chat_id order by version)
