{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_affected_conversations'},
    indexes=[{'columns': ['local_date']}, {'columns': ['chat_id']}, {'columns': ['load_id']}],
) }}

with affected as (
    {{- conversations_told_anew() }}),

-- What no bot, survey or broadcast is known of has no outcome: conversations of other sources.
chats as (
    select
        affected.*,
        outcomes.broadcast_at
    from affected
    left join {{ ref('int_chat_outcomes') }} as outcomes on outcomes.chat_id = affected.chat_id
    where not affected.is_deleted
),

facts as (
    select
        chats.chat_id,
        fact.name,
        fact.happened_at
    from chats
    cross join lateral (
        values
        ('created', created_at),
        ('opened', opened_at),
        ('picked_up', picked_up_at),
        ('closed', closed_at),
        ('broadcast', broadcast_at)
    ) as fact (name, happened_at)

    union all

    select
        chat_id,
        case when is_incoming then 'incoming' else 'outgoing' end as name,
        sent_at as happened_at
    from {{ ref('int_messages') }}
    where is_incoming is not null and {{ is_of('chats') }}

    union all

    select
        chat_id,
        event as name,
        happened_at
    from {{ ref('int_events') }}
    where event in ('reopened', 'department_transfer') and {{ is_of('chats') }}

    union all

    select
        chat_id,
        'agent_transfer' as name,
        assigned_from as happened_at
    from {{ ref('int_agent_assignments') }}
    where previous_agent_id is not null and {{ is_of('chats') }}
),

days as (
    select
        chat_id,
        {{ local_time('happened_at') }}::date as local_date,
        bool_or(name = 'created') as is_created,
        bool_or(name = 'opened') as is_opened,
        bool_or(name = 'picked_up') as is_picked_up,
        bool_or(name = 'closed') as is_closed,
        bool_or(name = 'broadcast') as is_broadcast,
        count(*) filter (where name = 'incoming')::integer as incoming_message_count,
        count(*) filter (where name = 'outgoing')::integer as outgoing_message_count,
        count(*) filter (where name = 'reopened')::integer as reopened_count,
        count(*) filter (where name = 'agent_transfer')::integer as agent_transfer_count,
        count(*) filter (where name = 'department_transfer')::integer as department_transfer_count
    from facts
    where happened_at is not null
    group by 1, 2
)

select
    days.*,
    false as is_left,
    chats.told_load_id as load_id
from days
inner join chats on chats.chat_id = days.chat_id

{% if is_incremental() -%}
union all

-- A day on which the chat has nothing any more stays, so that it is counted anew, however much later.
select
    known.chat_id,
    known.local_date,
    false as is_created,
    false as is_opened,
    false as is_picked_up,
    false as is_closed,
    false as is_broadcast,
    0 as incoming_message_count,
    0 as outgoing_message_count,
    0 as reopened_count,
    0 as agent_transfer_count,
    0 as department_transfer_count,
    true as is_left,
    case when known.is_left then known.load_id else affected.told_load_id end as load_id
from {{ this }} as known
inner join affected on affected.chat_id = known.chat_id
left join days on days.chat_id = known.chat_id and days.local_date = known.local_date
where days.chat_id is null
{%- endif %}
