{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_customer_turns'},
    indexes=[{'columns': ['chat_id'], 'unique': true}, {'columns': ['load_id']}],
) }}

with turns as (
    select * from {{ ref('int_customer_turns') }}
    where {{ load_window('int_customer_turns') }}
)

select
    chat_id,
    sum(reply_seconds)::bigint as reply_seconds_sum,
    sum(reply_from_last_seconds)::bigint as reply_from_last_seconds_sum,
    sum(customer_message_count)::integer as incoming_message_count,
    sum(outgoing_message_count)::integer as outgoing_message_count,
    count(replied_at)::integer as reply_count,
    min(first_customer_at) as first_customer_at,
    max(replied_at) as last_replied_at,
    load_id
from turns
group by chat_id, load_id
