-- Days on which who holds which chat changed, with the load that changed it. A load can change no more than was known
-- by then; the time that passed since the load before is its own: chats that stay open were held in it.
with loads as (
    select * from {{ ref('int_chat_loads') }}
),

spans as (
    select changed_from, changed_to, load_id from {{ ref('int_agent_holds') }}

    union all

    select held_from, held_to, superseded_by_load_id from {{ ref('int_agent_holds') }}
    where superseded_by_load_id is not null and not is_replaced

    union all

    select known_until_before, known_until, load_id from loads
),

ended as (
    select
        spans.load_id,
        spans.changed_from,
        least(
            spans.changed_to,
            coalesce(loads.known_until, (select max(known_until) from loads))
        ) as changed_to
    from spans
    left join loads on loads.load_id = spans.load_id
)

select
    day::date as local_date,
    load_id
from ended
cross join lateral generate_series(
    {{ local_time('changed_from') }}::date::timestamp, {{ local_time('changed_to') }}, interval '1 day'
) as day
