with tags as (
    select * from {{ ref('chat_tags') }}
),

days as (
    select * from {{ ref('int_performance_days') }}
    where scope = 'all'
)

select
    tags.created_local_date as local_date,
    tags.tag_key,
    mode() within group (order by tags.tag_label) as tag_label,
    count(*)::integer as chat_count,
    min(days.chat_count) as day_chat_count,
    count(*)::double precision / nullif(min(days.chat_count), 0) as chat_share
from tags
inner join days on days.local_date = tags.created_local_date
group by tags.created_local_date, tags.tag_key
