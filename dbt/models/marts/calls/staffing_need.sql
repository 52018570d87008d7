-- The last eight times that a weekday's hour has passed, up to the last whole day, and not before its first day with data.
{%- set weeks = 8 %}
with pools as (
    select
        {{ source_key('calls', 'pools.id') }} as pool_id,
        pools.name as pool_name,
        (known.known_until at time zone coalesce(organizations.timezone, '{{ account_timezone() }}'))::date as known_date
    from {{ ref('call_directory') }} as pools
    cross join (select max(known_until) as known_until from {{ ref('int_call_loads') }}) as known
    left join {{ ref('call_directory') }} as organizations
        on organizations.kind = 'organization' and organizations.id = pools.organization_id
    where pools.kind = 'pool' and not pools.is_deleted
),

-- How often each weekday lies in that time.
weekdays as (
    select
        pools.pool_id,
        extract(dow from day)::integer as day_of_week,
        count(*) as hour_count
    from pools
    cross join lateral generate_series(
        greatest(
            pools.known_date - {{ 7 * weeks }},
            (
                select min(hours.local_date) from {{ ref('int_coverage_hours') }} as hours
                where hours.scope = 'pool' and hours.scope_id = pools.pool_id
            )
        )::timestamp,
        pools.known_date - interval '1 day',
        interval '1 day'
    ) as day
    group by pools.pool_id, day_of_week
),

calls as (
    select
        pools.pool_id,
        calls.created_day_of_week as day_of_week,
        calls.created_local_hour as hour,
        count(*) as call_count,
        avg(calls.handle_seconds)::double precision as mean_handle_seconds
    from pools
    inner join {{ ref('int_call_times') }} as calls
        on calls.pool_id = pools.pool_id
        and calls.created_local_date >= pools.known_date - {{ 7 * weeks }}
        and calls.created_local_date < pools.known_date
    where calls.is_judged and not calls.is_deleted
    group by pools.pool_id, day_of_week, hour
),

present as (
    select
        pools.pool_id,
        extract(dow from hours.local_date)::integer as day_of_week,
        hours.hour,
        sum(hours.agent_seconds)::double precision / 3600 as agent_hours
    from pools
    inner join {{ ref('int_coverage_hours') }} as hours
        on hours.scope = 'pool'
        and hours.scope_id = pools.pool_id
        and hours.local_date >= pools.known_date - {{ 7 * weeks }}
        and hours.local_date < pools.known_date
    group by pools.pool_id, day_of_week, hours.hour
),

-- Of fewer calls a mean says nothing.
offered as (
    select
        pools.pool_id,
        pools.pool_name,
        day_of_week,
        hour,
        coalesce(calls.call_count, 0)::integer as call_count,
        coalesce(weekdays.hour_count, 0)::integer as hour_count,
        coalesce(present.agent_hours, 0) / weekdays.hour_count as present_agent_count,
        case when calls.call_count >= 20 then calls.call_count::double precision / weekdays.hour_count end as mean_call_count,
        case when calls.call_count >= 20 then calls.mean_handle_seconds end as mean_handle_seconds,
        case
            when calls.call_count >= 20
                then nullif(calls.call_count::double precision / weekdays.hour_count * calls.mean_handle_seconds / 3600, 0)
        end as erlangs
    from pools
    cross join generate_series(0, 6) as day_of_week
    cross join generate_series(0, 23) as hour
    left join weekdays using (pool_id, day_of_week)
    left join calls using (pool_id, day_of_week, hour)
    left join present using (pool_id, day_of_week, hour)
)

select
    offered.pool_id,
    offered.pool_name,
    offered.day_of_week,
    offered.hour,
    days.label_es as day_label_es,
    days.label_en as day_label_en,
    lpad(offered.hour::text, 2, '0') as hour_label,
    offered.hour_count,
    offered.call_count,
    offered.mean_call_count,
    offered.mean_handle_seconds,
    offered.erlangs,
    need.needed_agent_count,
    need.service_level as expected_service_level,
    offered.erlangs / need.needed_agent_count as expected_occupancy_share,
    need.service_level_with_one_less,
    offered.present_agent_count as mean_present_agent_count,
    offered.present_agent_count - need.needed_agent_count as agent_gap
from offered
left join lateral (
    select
        agent_count::integer as needed_agent_count,
        round(service_level::numeric, 6)::double precision as service_level,
        round(service_level_before::numeric, 6)::double precision as service_level_with_one_less
    from (
        select
            agent_count,
            service_level,
            lag(service_level) over (order by agent_count) as service_level_before
        from (
            {{- erlang_c('offered.erlangs', 'offered.mean_handle_seconds', var('call_target_seconds')) }}
        ) as queues
    ) as compared
    where service_level >= {{ var('call_target_share') }}
    order by agent_count
    limit 1
) as need on offered.erlangs is not null
left join {{ ref('labels') }} as days on days.label_set = 'day_of_week' and days.member = offered.day_of_week::text
