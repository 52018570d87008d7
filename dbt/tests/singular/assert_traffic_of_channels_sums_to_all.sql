{{ config(meta={'dagster': {'ref': {'name': 'int_traffic_cells'}}}) }}

-- Every chat has a channel: each chat and message is counted once in all, and once in its channel.
select
    week_start,
    sum(chat_count) filter (where scope = 'all') as chat_count,
    sum(chat_count) filter (where scope = 'channel') as chat_count_of_channels,
    sum(message_count) filter (where scope = 'all') as message_count,
    sum(message_count) filter (where scope = 'channel') as message_count_of_channels
from {{ ref('int_traffic_cells') }}
group by week_start
having sum(chat_count) filter (where scope = 'all')
    is distinct from sum(chat_count) filter (where scope = 'channel')
    or sum(message_count) filter (where scope = 'all')
    is distinct from sum(message_count) filter (where scope = 'channel')
