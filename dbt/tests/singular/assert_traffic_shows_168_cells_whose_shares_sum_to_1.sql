select
    week_start,
    count(*) as cells,
    sum(share_of_chats) as sum_of_chat_shares,
    sum(share_of_messages) as sum_of_message_shares
from {{ ref('conversation_traffic_heatmap') }}
where scope = 'all'
group by week_start
having count(*) <> 168 or abs(sum(share_of_chats) - 1) > 1e-9 or abs(sum(share_of_messages) - 1) > 1e-9
