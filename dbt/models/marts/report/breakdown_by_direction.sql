-- A view over the days and the marts by direction: who reads one period pays for that. Whoever has a row in the daily
-- mart of the period has one here, for each direction.
with daily as (
    select
        local_date,
        'agent' as scope,
        agent_id as scope_id,
        agent_name as scope_name,
        outgoing_message_count,
        active_chat_seconds,
        active_seconds
    from {{ ref('agent_daily') }}

    union all

    select local_date, 'department', department_id, department_name, outgoing_message_count, null, null
    from {{ ref('department_daily') }}

    union all

    select local_date, 'channel', channel as scope_id, channel as scope_name, outgoing_message_count, null, null
    from {{ ref('channel_daily') }}

    union all

    select local_date, 'source', source as scope_id, source as scope_name, outgoing_message_count, null, null
    from {{ ref('source_daily') }}
),

members as (
    select
        periods.period,
        periods.period_start,
        daily.scope,
        daily.scope_id,
        max(daily.scope_name) as scope_name,
        sum(daily.outgoing_message_count)::bigint as message_count,
        sum(daily.active_chat_seconds)::double precision / nullif(sum(daily.active_seconds), 0) as mean_concurrent_chats
    from {{ ref('int_periods') }} as periods
    inner join daily on daily.local_date between periods.period_start and periods.period_end
    group by periods.period, periods.period_start, daily.scope, daily.scope_id
),

directions as (
    select member as direction from {{ ref('labels') }}
    where label_set = 'direction'
),

times as (
    select * from {{ ref('response_times_by_direction') }}
    where clock = 'wall' and metric in ('first_response', 'reply', 'resolution')
),

measures as (
    select
        period,
        period_start,
        scope,
        scope_id,
        direction,
        {%- for metric in ['first_response', 'reply', 'resolution'] %}
        coalesce(max(count) filter (where metric = '{{ metric }}'), 0) as {{ metric }}_count,
        max(p50_seconds) filter (where metric = '{{ metric }}') as p50_{{ metric }}_seconds,
        max(p90_seconds) filter (where metric = '{{ metric }}') as p90_{{ metric }}_seconds{{ ',' if not loop.last }}
        {%- endfor %}
    from times
    group by period, period_start, scope, scope_id, direction
),

-- Each direction beside the sum of all.
chats as (
    select
        service.period,
        service.period_start,
        service.scope,
        service.scope_id,
        directions.direction,
        sum(case when service.direction = directions.direction then service.chat_count else 0 end)::integer
            as chat_count,
        sum(case when service.direction = directions.direction then service.closed_chat_count else 0 end)::integer
            as closed_chat_count,
        sum(case when service.direction <> directions.direction then service.chat_count else 0 end)::integer
            as other_chat_count
    from {{ ref('service_by_direction') }} as service
    cross join directions
    group by service.period, service.period_start, service.scope, service.scope_id, directions.direction
),

sla as (
    select * from {{ ref('sla_by_direction') }}
    where metric = 'overall' and clock = 'wall'
),

quality as (
    select * from {{ ref('insights_by_direction') }}
    where scope = 'agent'
)

select
    members.period,
    members.period_start,
    members.scope,
    members.scope_id,
    members.scope_name,
    directions.direction,
    coalesce(chats.chat_count, 0) as chat_count,
    coalesce(chats.closed_chat_count, 0) as closed_chat_count,
    coalesce(chats.other_chat_count, 0) as other_chat_count,
    members.message_count,
    coalesce(measures.first_response_count, 0) as first_response_count,
    measures.p50_first_response_seconds,
    measures.p90_first_response_seconds,
    coalesce(measures.reply_count, 0) as reply_count,
    measures.p50_reply_seconds,
    coalesce(measures.resolution_count, 0) as resolution_count,
    measures.p50_resolution_seconds,
    coalesce(sla.judged_count, 0) as sla_judged_count,
    sla.rate as sla_rate,
    sla.goal as sla_goal,
    coalesce(sla.open_breached_count, 0) as open_breached_count,
    members.mean_concurrent_chats,
    coalesce(quality.quality_count, 0) as quality_count,
    quality.mean_quality
from members
cross join directions
{%- for relation in ['chats', 'measures', 'sla', 'quality'] %}
left join {{ relation }}
    on {{ relation }}.period = members.period
    and {{ relation }}.period_start = members.period_start
    and {{ relation }}.scope = members.scope
    and {{ relation }}.scope_id = members.scope_id
    and {{ relation }}.direction = directions.direction
{%- endfor %}
