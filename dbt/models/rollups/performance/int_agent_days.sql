{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_agent_days'},
    indexes=[{'columns': ['local_date', 'agent_id'], 'unique': true}],
) }}

with affected_days as (
    select distinct local_date
    from {{ ref('int_affected_agent_days') }} as affected
    where {{ load_window('affected') }}
),

hours as (
    select
        agent_id,
        local_date,
        sum(active_seconds) as active_seconds,
        sum(active_chat_seconds) as active_chat_seconds,
        max(peak_chat_count) as peak_chat_count
    from {{ ref('int_agent_hours') }}
    where department_id = 'all' and {{ is_of('affected_days', 'local_date') }}
    group by agent_id, local_date
),

known as (
    select max(known_until) as known_until from {{ ref('int_chat_loads') }}
),

-- A chat is worked on on each day that its activity lies on, as far as is known.
worked as (
    select
        activity.agent_id,
        affected_days.local_date,
        count(distinct activity.chat_id) as active_chat_count
    from affected_days
    cross join known
    inner join {{ ref('int_agent_activity') }} as activity
        on tstzrange(activity.active_from, activity.active_to) && tstzrange(
            affected_days.local_date::timestamp at time zone '{{ account_timezone() }}',
            (affected_days.local_date + 1)::timestamp at time zone '{{ account_timezone() }}'
        )
    where activity.superseded_by_load_id is null and activity.active_from < known.known_until
        and affected_days.local_date::timestamp at time zone '{{ account_timezone() }}' < known.known_until
    group by activity.agent_id, affected_days.local_date
),

chat_days as (
    select * from {{ ref('int_chat_day_facts') }}
    where {{ is_of('affected_days', 'local_date') }} and not is_left
),

-- The chats are named at each use: a CTE that is used twice is worked out whole. A pick-up is the agent's
-- who gave it, a closing
-- the last one's, a reply the one's who had the chat then.
actions as (
    select
        chats.pickup_agent_id as agent_id,
        chat_days.local_date,
        'pickup' as action,
        chats.picked_up_at as happened_at
    from chat_days
    inner join {{ ref('chat_response_times') }} as chats on chats.chat_id = chat_days.chat_id
    where chat_days.is_picked_up

    union all

    select
        chats.agent_id,
        chat_days.local_date,
        'closing' as action,
        chats.closed_at as happened_at
    from chat_days
    inner join {{ ref('chat_response_times') }} as chats on chats.chat_id = chat_days.chat_id
    where chat_days.is_closed

    union all

    select
        agent_id,
        replied_local_date as local_date,
        'reply' as action,
        replied_at as happened_at
    from {{ ref('reply_turns') }}
    where is_answered and not is_deleted and {{ is_of('affected_days', 'replied_local_date', 'local_date') }}

    union all

    select
        {{ person_of('transfer.agent_id') }} as agent_id,
        chat_days.local_date,
        transfer.action,
        null as happened_at
    from chat_days
    inner join {{ ref('int_agent_assignments') }} as assignments on assignments.chat_id = chat_days.chat_id
    cross join lateral (
        values (assignments.previous_agent_id, 'transfer_out'), (assignments.agent_id, 'transfer_in')
    ) as transfer (agent_id, action)
    where chat_days.agent_transfer_count > 0
        and assignments.previous_agent_id is not null
        and {{ local_time('assignments.assigned_from') }}::date = chat_days.local_date
),

acted as (
    select
        agent_id,
        local_date,
        count(*) filter (where action = 'pickup') as picked_up_chat_count,
        count(*) filter (where action = 'transfer_in') as transfer_in_count,
        count(*) filter (where action = 'transfer_out') as transfer_out_count,
        min(happened_at) as first_action_at,
        max(happened_at) as last_action_at
    from actions
    where agent_id is not null
    group by agent_id, local_date
),

-- On these days an agent's chats have something, even where the agent did nothing; and on the day after one on which chats
-- were created there is a fall to tell of.
days as (
    select
        local_date,
        scope_id as agent_id
    from {{ ref('int_performance_days') }}
    where scope = 'agent' and {{ is_of('affected_days', 'local_date') }}

    union distinct

    select
        chats.local_date + 1 as local_date,
        chats.scope_id as agent_id
    from {{ ref('int_performance_days') }} as chats
    cross join known
    where chats.scope = 'agent'
        and chats.chat_count > 0
        and {{ is_of('affected_days', 'chats.local_date', 'local_date - 1') }}
        and chats.local_date < {{ local_time('known.known_until') }}::date
)

select
    coalesce(acted.local_date, hours.local_date, days.local_date) as local_date,
    coalesce(acted.agent_id, hours.agent_id, days.agent_id) as agent_id,
    coalesce(acted.picked_up_chat_count, 0)::integer as picked_up_chat_count,
    coalesce(acted.transfer_in_count, 0)::integer as transfer_in_count,
    coalesce(acted.transfer_out_count, 0)::integer as transfer_out_count,
    acted.first_action_at,
    acted.last_action_at,
    coalesce(hours.active_seconds, 0)::integer as active_seconds,
    coalesce(hours.active_chat_seconds, 0)::bigint as active_chat_seconds,
    coalesce(hours.peak_chat_count, 0) as peak_chat_count,
    coalesce(worked.active_chat_count, 0)::integer as active_chat_count
from acted
full join hours
    on hours.local_date = acted.local_date and hours.agent_id = acted.agent_id
full join days
    on days.local_date = coalesce(acted.local_date, hours.local_date)
    and days.agent_id = coalesce(acted.agent_id, hours.agent_id)
left join worked
    on worked.local_date = coalesce(acted.local_date, hours.local_date, days.local_date)
    and worked.agent_id = coalesce(acted.agent_id, hours.agent_id, days.agent_id)
