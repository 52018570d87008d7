-- Days, weeks and months that have begun, as far as rooms are known.
select
    periods.period,
    periods.period_start,
    periods.period_end
from {{ ref('int_periods') }} as periods
inner join {{ ref('int_room_known') }} as known on periods.period_start <= {{ local_time('known.known_until') }}::date
