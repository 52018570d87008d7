{{ config(meta={'dagster': {'ref': {'name': 'backlog_hourly'}}}) }}

with hours as (
    select
        hour_at,
        open_count,
        sum(opened_count - closed_count) over (order by hour_at) as opened_less_closed
    from {{ ref('backlog_hourly') }}
    where scope = 'all'
)

select * from hours
where open_count <> opened_less_closed
