-- Days, weeks and months that have begun, as far as calls are known.
select
    periods.period,
    periods.period_start,
    periods.period_end
from {{ ref('int_periods') }} as periods
cross join (select max(known_until) as known_until from {{ ref('int_call_loads') }}) as known
where periods.period_start <= {{ local_time('known.known_until') }}::date
