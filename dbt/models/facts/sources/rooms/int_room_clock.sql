{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'affected_by': 'int_affected_rooms'},
    indexes=[
        {'columns': ['chat_id'], 'unique': true},
        {'columns': ['agent_id']},
        {'columns': ['department_id']},
        {'columns': ['created_at']},
        {'columns': ['load_id']},
    ],
) }}

with affected as (
    select
        chat_id,
        max(load_id) as load_id
    from {{ ref('int_affected_rooms') }} as affected
    where {{ load_window('affected') }}
    group by chat_id
),

rooms as (
    select * from {{ ref('rooms') }}
    where {{ is_of('affected') }} and room_type in ('support', 'escalated') and not is_from_the_future
),

lives as (
    select
        chat_id,
        bool_and(is_over) as is_over,
        max(closed_at) as closed_at,
        range_agg(open_spans) as open_spans
    from {{ ref('int_room_lives') }}
    where {{ is_of('affected') }}
    group by chat_id
),

chains as (
    select
        chat_id,
        min(created_at) as created_at,
        bool_and(is_deleted) as is_deleted,
        count(*) as room_count,
        (array_agg(organization_id order by created_at, id))[1] as organization_id,
        (array_agg(level order by created_at, id))[1] as first_level
    from rooms
    group by chat_id

    {%- if is_incremental() %}

    union all

    -- What was a conversation and is none any more, because it became part of another one, stays as deleted: facts take it off.
    select
        known.chat_id,
        known.created_at,
        true as is_deleted,
        0 as room_count,
        null as organization_id,
        null as first_level
    from {{ this }} as known
    where {{ is_of('affected', 'known.chat_id') }} and known.chat_id not in (select chat_id from rooms)
    {%- endif %}
),

sides as (
    select * from {{ ref('int_room_sides') }}
    where {{ is_of('affected') }}
),

people as (
    select
        chat_id,
        (array_agg(user_id order by joined_at nulls last, user_id) filter (where side = 'customer'))[1] as customer_id,
        (array_agg(user_id order by joined_at, user_id) filter (where side = 'agent' and joined_at is not null))[1]
            as first_agent_id,
        min(joined_at) filter (where side = 'agent') as agent_joined_at,
        bool_or(is_creator and side = 'agent') is true as is_made_by_agent
    from sides
    group by chat_id
),

handovers as (
    select * from {{ ref('int_room_handovers') }}
    where {{ is_of('affected') }}
),

written as (
    select
        chat_id,
        min(sent_at) filter (where side = 'robot') as first_robot_at,
        min(sent_at) filter (where side = 'agent') as first_agent_at,
        max(sent_at) filter (where side = 'agent') as last_agent_at,
        max(sent_at) filter (where side = 'customer') as last_customer_at,
        (array_agg(side order by position) filter (where side <> 'robot'))[1] as first_side,
        (array_agg(sender_id order by position desc) filter (where side = 'agent'))[1] as last_agent_id
    from {{ ref('int_room_messages') }}
    where {{ is_of('affected') }}
    group by chat_id
),

begun as (
    select
        chains.*,
        lives.is_over,
        case when lives.is_over then lives.closed_at end as closed_at,
        lives.open_spans,
        people.customer_id,
        people.first_agent_id,
        people.agent_joined_at,
        people.is_made_by_agent,
        written.first_robot_at,
        written.first_agent_at,
        written.last_agent_at,
        written.last_customer_at,
        written.first_side,
        written.last_agent_id,
        handovers.handed_over_at,
        handovers.level as escalated_level,
        handovers.is_escalated is true as is_stepped,
        coalesce(written.first_robot_at < coalesce(written.first_agent_at, 'infinity'), false) as is_begun_by_robot
    from chains
    left join lives on lives.chat_id = chains.chat_id
    left join people on people.chat_id = chains.chat_id
    left join handovers on handovers.chat_id = chains.chat_id
    left join written on written.chat_id = chains.chat_id
),

-- While the robot alone has it nobody waits for a person. Where no hand-over is recorded, it is when an agent came; who was
-- there before the robot took over when they wrote.
opened as (
    select
        *,
        case
            when not is_begun_by_robot then created_at
            else coalesce(
                handed_over_at, case when agent_joined_at > first_robot_at then agent_joined_at end, first_agent_at
            )
        end as opened_at
    from begun
),

picked_up as (
    select
        *,
        case when opened_at is not null and agent_joined_at is not null then greatest(opened_at, agent_joined_at) end
            as picked_up_at
    from opened
)

select
    chats.chat_id,
    chats.created_at,
    chats.opened_at,
    chats.picked_up_at,
    answers.response_at,
    chats.closed_at,
    case
        when chats.is_over then 'closed'
        when chats.opened_at is not null and chats.last_customer_at > coalesce(chats.last_agent_at, '-infinity') then 'open'
        else 'pending'
    end as status,
    nullif(
        tstzmultirange(tstzrange(lower(chats.open_spans), upper(chats.open_spans), '[]')) - chats.open_spans, '{}'
    ) as pauses,
    {{ source_key('rooms', 'coalesce(chats.last_agent_id, case when chats.picked_up_at is not null then chats.first_agent_id end)') }}
        as agent_id,
    {{ source_key('rooms', 'case when chats.picked_up_at is not null then chats.first_agent_id end') }} as pickup_agent_id,
    {{ source_key('rooms', 'chats.customer_id') }} as contact_id,
    {{ source_key('rooms', 'chats.organization_id') }} as department_id,
    case when chats.is_made_by_agent and coalesce(chats.first_side, 'agent') = 'agent' then 'outgoing' else 'incoming' end
        as direction,
    case
        when chats.first_side = 'customer' then 'first_message_incoming'
        when chats.first_side = 'agent' and chats.is_made_by_agent then 'first_message_agent'
        else 'room_creator'
    end as direction_source,
    case
        when chats.first_agent_at is null and chats.picked_up_at is null
            then case when chats.first_robot_at is null then 'nobody' else 'robot' end
        when chats.is_begun_by_robot then 'robot_then_human'
        else 'human'
    end as handled_by,
    coalesce(chats.escalated_level, chats.first_level) as level,
    chats.room_count > 1 or chats.is_stepped as is_escalated,
    chats.is_deleted,
    affected.load_id
from picked_up as chats
inner join affected on affected.chat_id = chats.chat_id
left join lateral (
    select min(messages.sent_at) as response_at
    from {{ ref('int_room_messages') }} as messages
    where messages.chat_id = chats.chat_id
        and messages.side = 'agent'
        and messages.sent_at >= chats.picked_up_at
) as answers on true
