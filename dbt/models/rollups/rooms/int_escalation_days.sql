{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'affected_by': 'int_affected_room_chats'},
    indexes=[{'columns': ['chat_id', 'local_date'], 'unique': true}, {'columns': ['load_id']}],
) }}

with affected as (
    select
        chat_id,
        max(load_id) as load_id
    from {{ ref('int_affected_room_chats') }} as affected
    where {{ load_window('affected') }}
    group by chat_id
),

days as (
    select
        states.chat_id,
        day.local_date
    from {{ ref('int_escalation_states') }} as states
    cross join lateral (
        values
        (states.created_local_date), (states.resolved_local_date), (states.cancelled_local_date), (states.ended_local_date)
    ) as day (local_date)
    where {{ is_of('affected', 'chat_id') }} and day.local_date is not null

    union

    select
        chat_id,
        created_local_date
    from {{ ref('int_room_outcomes') }}
    where {{ is_of('affected') }} and created_local_date is not null
    {%- if is_incremental() %}

    -- A day that it has left must be worked out anew as well, so none is forgotten.
    union

    select
        chat_id,
        local_date
    from {{ this }}
    where {{ is_of('affected') }}
    {%- endif %}
)

select
    days.chat_id,
    days.local_date,
    affected.load_id
from days
inner join affected on affected.chat_id = days.chat_id
