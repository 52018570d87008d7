{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_affected_conversations'},
    indexes=[
        {'columns': ['chat_id']},
        {'columns': ['tstzrange(active_from, active_to)'], 'type': 'gist'},
        {'columns': ['load_id']},
        {'columns': ['superseded_by_load_id']},
    ],
) }}

{%- set key = 'chat_id, agent_id, department_id, active_from, active_to' %}
{%- set days = "daterange(" ~ local_time('{0}.active_from') ~ "::date, " ~ local_time('{0}.active_to') ~ "::date, '[]')" %}

with chats as (
    {{- conversations_told_anew() }}),

-- Nobody has a chat before people have it, after its end, or between its closing and its being open again.
had as (
    select
        chats.chat_id,
        assignments.agent_id,
        chats.department_id,
        lower(span) as had_from,
        upper(span) as had_to
    from chats
    inner join {{ ref('int_agent_assignments') }} as assignments on assignments.chat_id = chats.chat_id
    cross join lateral unnest(
        tstzmultirange(tstzrange(
            greatest(chats.human_from, assignments.assigned_from),
            -- Postgres may make the range before it has asked whether it ends after it begins: then it is empty, and no error.
            greatest(chats.human_from, assignments.assigned_from, least(chats.ended_at, assignments.assigned_to))
        )) - coalesce(chats.pauses, '{}')
    ) as span
    where not chats.is_deleted
        and chats.human_from is not null
        and greatest(chats.human_from, assignments.assigned_from)
            < least(chats.ended_at, assignments.assigned_to)
),

actions as (
    select
        turns.chat_id,
        lower(sent.instant) as happened_at,
        false as is_closing
    from {{ ref('int_customer_turns') }} as turns
    cross join lateral unnest(turns.agent_message_times) as sent (instant)
    where {{ is_of('chats', 'turns.chat_id', 'chat_id') }}

    union distinct

    select
        chat_id,
        happened_at,
        event = 'closed' as is_closing
    from {{ ref('int_events') }}
    where event in ('picked_up', 'closed') and {{ is_of('chats') }}
),

-- An action is that of the agent who has the chat then; a closing, of the one who had it until then.
active as (
    select
        had.chat_id,
        had.agent_id,
        had.department_id,
        range_agg(tstzrange(
            greatest(actions.happened_at - {{ activity_time() }}, had.had_from),
            least(actions.happened_at + {{ activity_time() }}, had.had_to)
        )) as spans
    from had
    inner join actions
        on actions.chat_id = had.chat_id
        and case
            when actions.is_closing then actions.happened_at > had.had_from and actions.happened_at <= had.had_to
            else actions.happened_at >= had.had_from and actions.happened_at < had.had_to
        end
    group by had.chat_id, had.agent_id, had.department_id, had.had_from
),

told as (
    select
        active.chat_id,
        {{ person_of('active.agent_id') }} as agent_id,
        active.department_id,
        lower(span) as active_from,
        upper(span) as active_to
    from active
    cross join lateral unnest(active.spans) as span
),

{{ known_new_and_gone(key) }}

-- What a load tells anew affects its days, and nothing else does: a chat that goes on for months affects no day but those
-- on which something happened.
select
    new.chat_id,
    new.agent_id,
    new.department_id,
    new.active_from,
    new.active_to,
    chats.told_load_id as load_id,
    null::bigint as superseded_by_load_id
from new
inner join chats on chats.chat_id = new.chat_id

union all

-- What no longer holds stays, with the load that showed it, so that its days are counted anew however much later; but for
-- what another time of the chat on the same days took the place of.
select
    known.chat_id,
    known.agent_id,
    known.department_id,
    known.active_from,
    known.active_to,
    known.load_id,
    case when gone.chat_id is null then known.superseded_by_load_id else chats.told_load_id end as superseded_by_load_id
from known
inner join chats on chats.chat_id = known.chat_id
left join gone
    on known.superseded_by_load_id is null
    and gone.chat_id = known.chat_id
    and gone.agent_id = known.agent_id
    and gone.department_id is not distinct from known.department_id
    and gone.active_from = known.active_from
    and gone.active_to = known.active_to
where gone.chat_id is null
    or not exists (
        select 1 from new
        where new.chat_id = gone.chat_id and {{ days.format('new') }} @> {{ days.format('gone') }}
    )
