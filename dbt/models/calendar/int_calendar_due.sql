{{ config(
    materialized='incremental',
    unique_key='calendar',
    meta={'placement': 'reference', 'affected_by': 'int_affected_calendars'},
    indexes=[{'columns': ['calendar', 'bucket', 'opens_after'], 'unique': true}],
) }}

with openings as (
    select
        calendar,
        starts_at,
        open_seconds_before as opens_after,
        open_seconds_before + date_part('epoch', ends_at - starts_at) as opens_upto
    from {{ ref('int_calendar_clock') }}
    where is_open and calendar in (
        select calendar from {{ ref('int_affected_calendars') }} as affected
        where {{ load_window('affected') }} or {{ all_loads_are_read() }}
    )
)

select
    openings.calendar,
    bucket.number as bucket,
    greatest(openings.opens_after, (bucket.number - 1) * 86400.0::double precision) as opens_after,
    least(openings.opens_upto, bucket.number * 86400.0::double precision) as opens_upto,
    openings.starts_at
    + (greatest(openings.opens_after, (bucket.number - 1) * 86400.0::double precision) - openings.opens_after)
    * interval '1 second' as starts_at
from openings
cross join lateral generate_series(
    floor(openings.opens_after / 86400)::integer + 1,
    {{ due_bucket('openings.opens_upto') }}
) as bucket (number)
