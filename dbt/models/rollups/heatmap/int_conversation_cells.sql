-- Times are of one source, never of all: 20 seconds on the phone and 40 minutes in a chat are two promises.
select
    chats.created_week_start as week_start,
    member.source,
    chats.created_day_of_week as day_of_week,
    chats.created_local_hour as hour,
    count(*) as conversation_count,
    count(chats.first_response_seconds) as first_response_count,
    avg(case when member.source <> 'all' then chats.first_response_seconds end)::double precision
        as mean_first_response_seconds,
    percentile_cont(array[0.5, 0.9]) within group (
        order by case when member.source <> 'all' then chats.first_response_seconds end
    ) as percentiles,
    count(*) filter (where sla.wall_state = 'met') as met_count,
    count(*) filter (where sla.wall_state = 'breached') as breached_count
from {{ ref('chat_response_times') }} as chats
left join {{ ref('sla_chats') }} as sla on sla.chat_id = chats.chat_id and sla.metric = 'first_response'
cross join lateral (values ('all'), (chats.source)) as member (source)
where not chats.is_deleted
group by chats.created_week_start, member.source, chats.created_day_of_week, chats.created_local_hour
