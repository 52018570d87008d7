{{ config(meta={'dagster': {'ref': {'name': 'backlog_hourly'}}}) }}

with hours as (
    select
        hour_at,
        open_count + opened_count - closed_count - became_stale_count + returned_count as open_after,
        lead(open_count) over (order by hour_at) as next_open_count
    from {{ ref('backlog_hourly') }}
    where scope = 'all'
)

select * from hours
where open_after <> next_open_count
