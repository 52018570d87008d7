-- A view: it looks at nine weeks of hours of all chats, however long the history is. A count strays by its root, and one of
-- things that come in bunches by more, so no band is narrower than that, however alike the weeks before were.
with rules as (
    select * from {{ ref('hourly_kpis') }} where is_enabled
),

bounds as (
    select
        max(hour_at) as newest_hour_at,
        max(local_date) as newest_date,
        max(local_date) - 7 - 7 * (select max(weeks) from rules) as first_date
    from {{ ref('int_backlog_hours') }}
    where scope = 'all' and scope_id = 'all'
),

hours as (
    select
        backlog.hour_at,
        backlog.local_date,
        backlog.hour,
        metrics.metric,
        metrics.value::double precision as value
    from bounds
    inner join {{ ref('backlog_hourly') }} as backlog
        on backlog.scope = 'all' and backlog.scope_id = 'all' and backlog.local_date >= bounds.first_date
    left join {{ ref('int_traffic_cells') }} as traffic
        on traffic.scope = 'all'
        and traffic.scope_id = 'all'
        and traffic.local_date = backlog.local_date
        and traffic.hour = backlog.hour
    cross join lateral (
        values
        ('chats_created', coalesce(traffic.chat_count, 0), true),
        ('messages_in', coalesce(traffic.incoming_message_count, 0), true),
        ('messages_out', coalesce(traffic.outgoing_message_count, 0), true),
        ('chats_open', backlog.open_count, false),
        ('chats_waiting_for_pickup', backlog.waiting_for_pickup_count, false),
        ('chats_waiting_for_answer', backlog.waiting_for_answer_count, false)
    ) as metrics (metric, value, is_flow)
    -- The newest hour has begun, and is not over.
    where not (metrics.is_flow and backlog.hour_at = bounds.newest_hour_at)
),

holidays as (
    select holiday_date from {{ ref('holidays') }} where calendar = '{{ var('business_calendar') }}'
),

compared as (
    select
        hours.hour_at,
        hours.local_date,
        hours.hour,
        hours.metric,
        hours.value,
        past.local_date as past_date,
        past.value as past_value
    from hours
    inner join bounds on hours.local_date > bounds.newest_date - 8
    inner join rules on rules.metric = hours.metric
    left join hours as past
        on past.metric = hours.metric
        and past.hour = hours.hour
        and past.local_date between hours.local_date - 7 * rules.weeks and hours.local_date - 7
        and (hours.local_date - past.local_date) % 7 = 0
        and past.local_date not in (select holiday_date from holidays)
),

usual as (
    select
        hour_at,
        local_date,
        hour,
        metric,
        value,
        count(distinct past_date)::integer as week_count,
        percentile_cont(0.5) within group (order by past_value) as usual_value
    from compared
    group by hour_at, local_date, hour, metric, value
),

strays as (
    select
        compared.hour_at,
        compared.metric,
        percentile_cont(0.5) within group (order by abs(compared.past_value - usual.usual_value)) as deviation
    from compared
    inner join usual on usual.hour_at = compared.hour_at and usual.metric = compared.metric
    group by compared.hour_at, compared.metric
),

bands as (
    select
        usual.*,
        rules.label_es,
        rules.label_en,
        rules.unit,
        rules.better,
        -- 1.4826 times the median deviation is the standard deviation of what is spread normally.
        case
            when usual.week_count >= rules.min_weeks and usual.local_date not in (select holiday_date from holidays)
                then rules.width * greatest(
                    1.4826 * strays.deviation, sqrt(rules.bunch * usual.usual_value), rules.bunch
                )
        end as half_width
    from usual
    inner join strays on strays.hour_at = usual.hour_at and strays.metric = usual.metric
    inner join rules on rules.metric = usual.metric
)

select
    metric,
    label_es as metric_label_es,
    label_en as metric_label_en,
    unit,
    better,
    hour_at,
    local_date,
    hour,
    lpad(hour::text, 2, '0') as hour_label,
    value,
    week_count,
    usual_value,
    -- GREATEST alone would make 0 of what is not known.
    case when half_width is not null then greatest(usual_value - half_width, 0) end::double precision as usual_low,
    (usual_value + half_width)::double precision as usual_high,
    case
        when half_width is null then 'unknown'
        when value > usual_value + half_width then 'above'
        when value < usual_value - half_width then 'below'
        else 'within'
    end as band_position,
    hour_at = max(hour_at) over (partition by metric) as is_newest
from bands
