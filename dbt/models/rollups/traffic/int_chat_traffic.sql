{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_affected_conversations'},
    indexes=[
        {'columns': ['chat_id', 'local_date', 'hour'], 'unique': true},
        {'columns': ['week_start']},
        {'columns': ['load_id']},
    ],
) }}

with chats as (
    {{- conversations_told_anew() }}),

message_hours as (
    select
        messages.chat_id,
        date_trunc('hour', {{ local_time('messages.sent_at') }}) as local_hour,
        count(*) as message_count,
        count(*) filter (where messages.is_incoming) as incoming_message_count,
        count(*) filter (where not messages.is_incoming) as outgoing_message_count
    from chats
    inner join (
        select * from {{ ref('int_messages') }}
        where {{ is_of('chats') }}
    ) as messages on messages.chat_id = chats.chat_id
    where not chats.is_deleted
    group by messages.chat_id, date_trunc('hour', {{ local_time('messages.sent_at') }})
),

creations as (
    select
        chat_id,
        created_local_date + make_interval(hours => created_local_hour) as local_hour,
        direction
    from chats
    where created_at is not null and not is_deleted
),

hours as (
    select
        chat_id,
        local_hour,
        creations.chat_id is not null as is_creation,
        creations.direction,
        message_hours.message_count,
        message_hours.incoming_message_count,
        message_hours.outgoing_message_count
    from creations
    full join message_hours using (chat_id, local_hour)

    {%- if is_incremental() %}

    -- An hour that the chat has no part in any more stays with counts of 0: its week must be counted anew.
    union all
    select
        chat_id,
        local_date + make_interval(hours => hour),
        false,
        null,
        0,
        0,
        0
    from {{ this }} as known
    where {{ is_of('chats') }}
        and not exists (
            select 1 from creations
            where creations.chat_id = known.chat_id
                and creations.local_hour = known.local_date + make_interval(hours => known.hour)
        )
        and not exists (
            select 1 from message_hours
            where message_hours.chat_id = known.chat_id
                and message_hours.local_hour = known.local_date + make_interval(hours => known.hour)
        )
    {%- endif %}
)

select
    hours.chat_id,
    date_trunc('week', hours.local_hour)::date as week_start,
    hours.local_hour::date as local_date,
    extract(hour from hours.local_hour)::integer as hour,
    {{ person_of('chats.agent_id') }} as agent_id,
    chats.department_id,
    chats.channel,
    chats.source,
    hours.is_creation::integer as chat_count,
    (hours.is_creation and hours.direction = 'incoming')::integer as incoming_chat_count,
    (hours.is_creation and hours.direction in ('outgoing', 'outgoing_broadcast'))::integer as outgoing_chat_count,
    coalesce(hours.message_count, 0)::integer as message_count,
    coalesce(hours.incoming_message_count, 0)::integer as incoming_message_count,
    coalesce(hours.outgoing_message_count, 0)::integer as outgoing_message_count,
    chats.told_load_id as load_id
from hours
inner join chats on chats.chat_id = hours.chat_id
