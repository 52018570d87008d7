-- Each chat once for every combination of filters that shows it; its agent is the one who gave the first response. A chat without a response time is in no cell.
select
    chats.created_week_start as week_start,
    scopes.scope,
    scopes.scope_id,
    slice_direction.direction_filter,
    slice_office.office_hours_filter,
    chats.created_day_of_week as day_of_week,
    chats.created_local_hour as hour,
    chats.chat_id,
    chats.first_response_seconds
from {{ ref('chat_response_times') }} as chats
cross join lateral (
    {{ scopes('chats', [credited_agent('first_response', 'chats')]) }}
) as scopes (scope, scope_id)
cross join lateral (
    values
    ('all'),
    (case when chats.direction <> 'unknown' then chats.direction end),
    (case when chats.direction in ('outgoing', 'outgoing_broadcast') then 'outgoing_all' end),
    (case when chats.is_converted then 'converted' end)
) as slice_direction (direction_filter)
cross join lateral (
    values ('all'), (case when chats.is_office_hours then 'office_hours' else 'non_office_hours' end)
) as slice_office (office_hours_filter)
where chats.first_response_seconds is not null
    and not chats.is_deleted
    and chats.created_week_start is not null
    and scopes.scope_id is not null
    and slice_direction.direction_filter is not null
