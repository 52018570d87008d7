-- A view over the logs of synchronization: it is right whenever it is read, and has nothing to catch up with.
with syncs as (
    select
        source,
        entity_type,
        {{ local_time('started_at') }}::date as day,
        count(*) as sync_count,
        count(*) filter (where status = 'error') as failed_count,
        count(*) filter (where status = 'partial') as partial_count
    from {{ source('ops', 'sync_logs') }}
    where operation <> 'quarantine_retry'
    group by 1, 2, 3
),

successes as (
    select
        source,
        entity_type,
        {{ local_time('completed_at') }}::date as day,
        max(completed_at) as last_success_at
    from {{ source('ops', 'sync_logs') }}
    where status = 'success' and operation <> 'quarantine_retry'
    group by 1, 2, 3
),

pages as (
    select
        source,
        entity_type,
        {{ local_time('loaded_at') }}::date as day,
        count(*) as page_count,
        sum(record_count) as record_count,
        sum(new_count) as new_count,
        sum(changed_count) as changed_count,
        sum(quarantined_count) as quarantined_count
    from {{ source('ops', 'page_loads') }}
    group by 1, 2, 3
),

first_days as (
    select source, entity_type, min(day) as first_day
    from (
        select source, entity_type, day from syncs
        union all
        select source, entity_type, day from pages
        union all
        select source, entity_type, window_day from {{ source('ops', 'sync_windows') }}
    ) as known
    where day is not null
    group by 1, 2
),

-- Materialized: in one piece with the joins below, each day would be compared with every other.
days as materialized (
    select
        first_days.source,
        first_days.entity_type,
        each_day.day::date as day,
        least(now(), (each_day.day::date + 1)::timestamp at time zone '{{ account_timezone() }}') as until_at
    from first_days
    cross join lateral generate_series(
        first_days.first_day::timestamp, {{ local_time('now()') }}::date::timestamp, interval '1 day'
    ) as each_day (day)
),

combined as (
    select
        days.source,
        days.entity_type,
        days.day,
        days.until_at,
        syncs.sync_count,
        syncs.failed_count,
        syncs.partial_count,
        pages.page_count,
        pages.record_count,
        pages.new_count,
        pages.changed_count,
        pages.quarantined_count,
        windows.read_at as read_whole_at,
        states.ceiling_age_seconds,
        max(successes.last_success_at) over (
            partition by days.source, days.entity_type order by days.day
        ) as last_success_at
    from days
    left join syncs
        on syncs.source = days.source and syncs.entity_type = days.entity_type and syncs.day = days.day
    left join successes
        on successes.source = days.source and successes.entity_type = days.entity_type and successes.day = days.day
    left join pages
        on pages.source = days.source and pages.entity_type = days.entity_type and pages.day = days.day
    left join {{ source('ops', 'sync_windows') }} as windows
        on windows.source = days.source
        and windows.entity_type = days.entity_type
        and windows.window_day = days.day
    -- What is known of a reading that was held back is known of the last one alone.
    left join {{ source('ops', 'sync_states') }} as states
        on states.source = days.source
        and states.entity_type = days.entity_type
        and days.day = {{ local_time('now()') }}::date
),

lagging as (
    select *, extract(epoch from until_at - last_success_at)::bigint as lag_seconds
    from combined
)

select
    source,
    entity_type,
    day as local_date,
    coalesce(sync_count, 0)::integer as syncs,
    coalesce(failed_count, 0)::integer as failures,
    coalesce(partial_count, 0)::integer as partials,
    coalesce(page_count, 0)::integer as pages,
    coalesce(record_count, 0)::bigint as records_read,
    coalesce(new_count, 0)::bigint as records_new,
    coalesce(changed_count, 0)::bigint as records_changed,
    coalesce(quarantined_count, 0)::bigint as records_quarantined,
    read_whole_at is not null as is_read_whole,
    read_whole_at,
    last_success_at,
    lag_seconds,
    case
        when last_success_at is null then 'never'
        when lag_seconds <= 2 * 3600 then 'fresh'
        when lag_seconds <= 24 * 3600 then 'late'
        else 'lost'
    end as freshness,
    ceiling_age_seconds::integer as ceiling_age_seconds
from lagging
