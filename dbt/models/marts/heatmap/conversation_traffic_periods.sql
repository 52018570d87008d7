with periods as (
    select * from {{ ref('int_traffic_periods') }}
),

scopes as (
    select * from {{ ref('int_traffic_scopes') }}
),

days as (
    select
        member::integer as day_of_week,
        label_es as day_label_es,
        label_en as day_label_en
    from {{ ref('labels') }}
    where label_set = 'day_of_week'
),

hours as (
    select hour from generate_series(0, 23) as hour
),

counts as (
    select
        periods.period,
        periods.period_start,
        periods.day_of_week,
        cells.scope,
        cells.scope_id,
        cells.hour,
        sum(cells.chat_count)::integer as chat_count,
        sum(cells.incoming_chat_count)::integer as incoming_chat_count,
        sum(cells.outgoing_chat_count)::integer as outgoing_chat_count,
        sum(cells.message_count)::integer as message_count,
        sum(cells.incoming_message_count)::integer as incoming_message_count,
        sum(cells.outgoing_message_count)::integer as outgoing_message_count
    from {{ ref('int_traffic_periods') }} as periods
    inner join {{ ref('int_traffic_cells') }} as cells
        on cells.local_date between periods.counted_from and periods.period_end
        and extract(dow from cells.local_date) = periods.day_of_week
    group by
        periods.period, periods.period_start, periods.day_of_week, cells.scope, cells.scope_id, cells.hour
),

filled as (
    select
        periods.period,
        periods.period_start,
        periods.period_end,
        scopes.scope,
        scopes.scope_id,
        scopes.scope_name,
        periods.day_of_week,
        hours.hour,
        days.day_label_es,
        days.day_label_en,
        lpad(hours.hour::text, 2, '0') as hour_label,
        periods.occurrences,
        coalesce(counts.chat_count, 0) as chat_count,
        coalesce(counts.incoming_chat_count, 0) as incoming_chat_count,
        coalesce(counts.outgoing_chat_count, 0) as outgoing_chat_count,
        coalesce(counts.message_count, 0) as message_count,
        coalesce(counts.incoming_message_count, 0) as incoming_message_count,
        coalesce(counts.outgoing_message_count, 0) as outgoing_message_count
    from periods
    inner join days on days.day_of_week = periods.day_of_week
    cross join scopes
    cross join hours
    left join counts
        on counts.period = periods.period
        and counts.period_start = periods.period_start
        and counts.day_of_week = periods.day_of_week
        and counts.scope = scopes.scope
        and counts.scope_id = scopes.scope_id
        and counts.hour = hours.hour
)

select
    period,
    period_start,
    period_end,
    scope,
    scope_id,
    scope_name,
    day_of_week,
    hour,
    day_label_es,
    day_label_en,
    hour_label,
    occurrences,
    chat_count,
    incoming_chat_count,
    outgoing_chat_count,
    message_count,
    incoming_message_count,
    outgoing_message_count,
    chat_count / nullif(sum(chat_count) over same_period, 0)::double precision as share_of_chats,
    message_count / nullif(sum(message_count) over same_period, 0)::double precision as share_of_messages,
    chat_count / nullif(occurrences, 0)::double precision as mean_chat_count,
    incoming_chat_count / nullif(occurrences, 0)::double precision as mean_incoming_chat_count,
    outgoing_chat_count / nullif(occurrences, 0)::double precision as mean_outgoing_chat_count,
    message_count / nullif(occurrences, 0)::double precision as mean_message_count,
    incoming_message_count / nullif(occurrences, 0)::double precision as mean_incoming_message_count,
    outgoing_message_count / nullif(occurrences, 0)::double precision as mean_outgoing_message_count
from filled
window same_period as (partition by period, period_start, scope, scope_id)
