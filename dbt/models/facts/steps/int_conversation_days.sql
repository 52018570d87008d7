{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'chat_response_times'},
    indexes=[{'columns': ['chat_id', 'local_date'], 'unique': true}, {'columns': ['load_id']}],
) }}

with affected as (
    select
        chat_id,
        created_local_date,
        {{ local_time('coalesce(opened_at, created_at)') }}::date as opened_local_date,
        load_id
    from {{ ref('chat_response_times') }}
    where {{ load_window('chat_response_times') }}
),

days as (
    select
        affected.chat_id,
        day.local_date,
        day.is_creation,
        day.is_opening
    from affected
    cross join lateral (
        values (affected.created_local_date, true, false), (affected.opened_local_date, false, true)
    ) as day (local_date, is_creation, is_opening)
    where day.local_date is not null

    union all

    select
        affected.chat_id,
        turns.replied_local_date,
        false,
        false
    from affected
    inner join {{ ref('reply_turns') }} as turns on turns.chat_id = affected.chat_id
    where turns.replied_local_date is not null
    {% if is_incremental() %}
    -- A day that the chat has left must be worked out anew as well, so none is forgotten.
    union all

    select
        known.chat_id,
        known.local_date,
        known.is_creation,
        known.is_opening
    from affected
    inner join {{ this }} as known on known.chat_id = affected.chat_id
    {%- endif %}
)

select
    days.chat_id,
    days.local_date,
    bool_or(days.is_creation) as is_creation,
    bool_or(days.is_opening) as is_opening,
    affected.load_id
from days
inner join affected on affected.chat_id = days.chat_id
group by days.chat_id, days.local_date, affected.load_id
