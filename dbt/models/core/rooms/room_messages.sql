{{ config(
    unique_key='id',
    indexes=[
        {'columns': ['room_id', 'created_at']},
        {'columns': ['sender_id', 'created_at']},
        {'columns': ['created_local_date']},
        {'columns': ['load_id']},
    ],
) }}

-- A message is known by its id; its table's key has created_at beside it, so that one id may stand in two months.
with landed as (
    select distinct on (id)
        *,
        count(*) over (partition by id) > 1 as is_met_twice
    from {{ ref('stg_rooms__messages') }} as messages
    where id is not null and {{ load_window('messages') }}
    order by id, created_at desc nulls last
),

messages as (
    select
        landed.*,
        {% if is_incremental() -%}
        landed.is_met_twice or coalesce(known.is_id_twice or known.created_at <> landed.created_at, false) as is_id_twice,
        {%- else -%}
        landed.is_met_twice as is_id_twice,
        {%- endif %}
        {{ is_from_the_future('landed.created_at', 'landed') }} as is_from_the_future
    from landed
    {%- if is_incremental() %}
    left join {{ this }} as known on known.id = landed.id
    where known.id is null or known.created_at is null or landed.created_at >= known.created_at
    {%- endif %}
)

select
    id,
    room_id,
    sender_id,
    message_type,
    content,
    content_metadata,
    robot_id,
    robot_response_to,
    is_robot_visible_to_guests,
    delivery_status,
    reply_to_message_id,
    thread_id,
    client_key,
    created_at,
    updated_at,
    {{ row_state('messages') }},

    is_id_twice,
    -- Streaming ones are not sent yet, failed ones never were. One without a room or a sender is nobody's.
    coalesce(delivery_status in ('delivered', 'batch-delay'), false)
        and coalesce(deleted_at, removed_at) is null
        and created_at is not null
        and not is_from_the_future as is_counted,
    {{ local_time('coalesce(created_at, loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_value': has_unknown_value({'message_type': 'message_type', 'delivery_status': 'delivery_status'}),
        'message_id_twice': 'is_id_twice',
        'from_the_future': 'is_from_the_future',
    }) }} as quality_rules,
    load_id
from messages
