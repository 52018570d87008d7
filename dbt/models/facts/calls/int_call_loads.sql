-- What we know of calls ends with the newest load of their source. A load that found nothing new moves nothing.
with loads as (
    select
        load_id,
        {{ known_until('page_loads') }} as known_until
    from {{ source('ops', 'page_loads') }} as page_loads
    where source = 'calls' and new_count + changed_count > 0 and not {{ is_above_high_watermark('page_loads') }}
),

running as (
    select
        load_id,
        date_trunc('second', max(known_until) over (order by load_id)) as known_until
    from loads
)

select
    load_id,
    known_until,
    lag(known_until) over (order by load_id) as known_until_before
from running
