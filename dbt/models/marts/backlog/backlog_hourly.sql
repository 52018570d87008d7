-- No CTEs here: Postgres merges such a view into its reader's query, and so counts the hours that are read. What stands when
-- an hour begins is what stood at midnight and what has come and gone since. LIMIT makes Postgres look that up by index for each hour that is read:
-- joined, it would read all hours and days there are.
{%- set states = ['open', 'waiting_for_pickup', 'waiting_for_answer'] %}
{%- set flows = ['opened', 'closed', 'became_stale', 'returned'] %}

select
    hours.hour_at,
    hours.local_date,
    hours.hour,
    lpad(hours.hour::text, 2, '0') as hour_label,
    open_days.scope,
    open_days.scope_id,
    coalesce(agents.name, departments.name, open_days.scope_id) as scope_name,
    {%- for state in states %}
    coalesce({{ state }}_days.chat_count, 0) + coalesce(earlier.{{ state }}_change_today, 0) as {{ state }}_count,
    {%- endfor %}
    {%- for flow in flows %}
    coalesce(own.{{ flow }}_count, 0) as {{ flow }}_count{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('int_backlog_hours') }} as hours
inner join {{ ref('int_backlog_days') }} as open_days
    on open_days.local_date = hours.local_date and open_days.state = 'open'
{%- for state in states if state != 'open' %}
left join lateral (
    select stored.chat_count
    from {{ ref('int_backlog_days') }} as stored
    where stored.scope = open_days.scope
        and stored.scope_id = open_days.scope_id
        and stored.state = '{{ state }}'
        and stored.local_date = hours.local_date
    limit 1
) as {{ state }}_days on true
{%- endfor %}
left join lateral (
    select stored.*
    from {{ ref('int_backlog_hours') }} as stored
    where stored.scope = open_days.scope and stored.scope_id = open_days.scope_id and stored.hour_at = hours.hour_at
    limit 1
) as own on true
left join lateral (
    select stored.*
    from {{ ref('int_backlog_hours') }} as stored
    where stored.scope = open_days.scope
        and stored.scope_id = open_days.scope_id
        and stored.local_date = hours.local_date
        and stored.hour_at < hours.hour_at
    order by stored.hour_at desc
    limit 1
) as earlier on true
left join {{ ref('int_agents') }} as agents on open_days.scope = 'agent' and agents.id = open_days.scope_id
left join {{ ref('int_departments') }} as departments on open_days.scope = 'department' and departments.id = open_days.scope_id
-- All chats have a row of each hour, others of those in which they have something.
where hours.scope = 'all' and hours.scope_id = 'all'
    and (
        open_days.scope = 'all'
        or open_days.chat_count + coalesce(earlier.open_change_today, 0) > 0
        or own.open_change_today > -open_days.chat_count
        or own.opened_count + own.closed_count + own.became_stale_count + own.returned_count > 0
    )
