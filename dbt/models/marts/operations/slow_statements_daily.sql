-- A view over the snapshots of the database audit. Statements are one by their text: the tables that dbt swaps, the
-- months of a partitioned one and longer lists give the same statement other ids.
with days as (
    select
        taken_on,
        lag(taken_on) over by_day as taken_on_before,
        extract(epoch from taken_at - lag(taken_at) over by_day)::bigint as elapsed_seconds,
        statement_eviction_count > lag(statement_eviction_count) over by_day as has_evictions,
        statements_reset_at = lag(statements_reset_at) over by_day
        and coalesce(system_identifier, '') = lag(coalesce(system_identifier, '')) over by_day as is_comparable
    from {{ source('ops', 'database_snapshots') }}
    window by_day as (order by taken_on)
),

-- What was evicted and came back counts from there: less than all of it, which is_incomplete says.
changes as (
    select
        days.taken_on,
        days.elapsed_seconds,
        days.has_evictions,
        later.user_name,
        later.is_own,
        coalesce(
            regexp_replace(
                regexp_replace(later.statement, '__dbt_(tmp|backup)\w*', '', 'g'), '_\d{4}_\d\d(?=\M)', '', 'g'
            ),
            '(other statements)'
        ) as statement,
        earlier.call_count > later.call_count as is_renewed,
        later.call_count - case when earlier.call_count <= later.call_count then earlier.call_count else 0 end
        as call_count,
        later.row_count - case when earlier.call_count <= later.call_count then earlier.row_count else 0 end as row_count,
        later.total_seconds - case when earlier.call_count <= later.call_count then earlier.total_seconds else 0 end
        as total_seconds
    from days
    inner join {{ source('ops', 'database_statement_snapshots') }} as later on later.taken_on = days.taken_on
    left join {{ source('ops', 'database_statement_snapshots') }} as earlier
        on earlier.taken_on = days.taken_on_before
        and earlier.user_name = later.user_name
        and earlier.query_id = later.query_id
        and earlier.is_toplevel = later.is_toplevel
    where days.is_comparable
),

summed as (
    select
        taken_on as day,
        user_name,
        statement,
        elapsed_seconds,
        bool_or(is_own) as is_own,
        sum(call_count)::bigint as call_count,
        sum(row_count)::bigint as row_count,
        sum(total_seconds) as total_seconds,
        coalesce(bool_or(has_evictions or is_renewed), false) as is_incomplete
    from changes
    where call_count > 0
    group by taken_on, user_name, statement, elapsed_seconds
),

shared as (
    select
        *,
        total_seconds / call_count as mean_call_seconds,
        total_seconds / nullif(sum(total_seconds) over (partition by day), 0) as time_share
    from summed
)

select
    day,
    user_name,
    statement,
    call_count,
    row_count,
    total_seconds,
    mean_call_seconds,
    time_share,
    elapsed_seconds,
    is_incomplete,
    statement <> '(other statements)'
    and case
        when is_own then mean_call_seconds >= 1 and time_share >= 0.05
        else mean_call_seconds >= 0.02 and call_count * 86400.0 >= 100 * elapsed_seconds
    end as is_slow
from shared
