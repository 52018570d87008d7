-- Days on which it changed who was at work, with the load that changed it. The time that passed since the load before is
-- a load's own: what was known no further than its middle is known to its end.
with changes as (
    select active_from as changed_from, active_to as changed_to, load_id from {{ ref('int_agent_activity') }}

    union all

    select active_from, active_to, superseded_by_load_id from {{ ref('int_agent_activity') }}
    where superseded_by_load_id is not null

    union all

    select known_until_before, known_until, load_id from {{ ref('int_chat_loads') }}
)

select
    day::date as local_date,
    load_id
from changes
cross join lateral generate_series(
    {{ local_time('changed_from') }}::date::timestamp, {{ local_time('changed_to') }}, interval '1 day'
) as day
