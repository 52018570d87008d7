select
    periods.period,
    periods.period_start,
    days.participant_id,
    days.participant_name,
    days.account_type,
    count(*)::integer as day_count,
    sum(days.message_count)::integer as message_count,
    sum(days.answered_turn_count)::integer as answered_turn_count,
    sum(days.join_count)::integer as join_count,
    max(days.peak_room_count)::integer as peak_room_count
from {{ ref('int_room_periods') }} as periods
inner join {{ ref('participant_daily') }} as days on days.local_date between periods.period_start and periods.period_end
group by periods.period, periods.period_start, days.participant_id, days.participant_name, days.account_type
