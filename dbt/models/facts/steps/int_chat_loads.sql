-- What we know ends with the newest load that brought conversations. A load that found nothing new moves nothing, so that
-- it wakes no model.
with loads as (
    select
        load_id,
        {{ known_until('page_loads') }} as known_until
    from {{ source('ops', 'page_loads') }} as page_loads
    where
        (source, entity_type) in {{ conversation_entities() }}
        and new_count + changed_count > 0
        and not {{ is_above_high_watermark('page_loads') }}
),

running as (
    select
        load_id,
        -- B2Chat's times are whole seconds.
        date_trunc('second', max(known_until) over (order by load_id)) as known_until
    from loads
)

select
    load_id,
    known_until,
    lag(known_until) over (order by load_id) as known_until_before
from running
