{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'affected_by': 'chat_response_times'},
    indexes=[{'columns': ['chat_id', 'local_date'], 'unique': true}, {'columns': ['load_id']}],
) }}

with touched as (
    select
        chat_id,
        created_local_date,
        load_id
    from {{ ref('chat_response_times') }}
    where {{ load_window('chat_response_times') }}
),

days as (
    select
        chat_id,
        created_local_date as local_date
    from touched
    where created_local_date is not null

    union

    select
        touched.chat_id,
        turns.replied_local_date as local_date
    from touched
    inner join {{ ref('reply_turns') }} as turns on turns.chat_id = touched.chat_id
    where turns.replied_local_date is not null
    {% if is_incremental() %}
    -- A day that the chat has left must be worked out anew as well, so none is forgotten.
    union

    select
        known.chat_id,
        known.local_date
    from touched
    inner join {{ this }} as known on known.chat_id = touched.chat_id
    {%- endif %}
)

select
    days.chat_id,
    days.local_date,
    touched.load_id
from days
inner join touched on touched.chat_id = days.chat_id
