{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    unique_key='local_date',
    on_schema_change='append_new_columns',
    meta={'touched_by': 'int_performance_touched_days'},
    indexes=[{'columns': ['local_date', 'scope', 'scope_id'], 'unique': true}],
) }}

{%- set times = ['pickup', 'first_response', 'resolution', 'handling'] %}

with touched_days as (
    select distinct local_date
    from {{ ref('int_performance_touched_days') }} as touched
    where {{ load_window('touched') }}
),

chat_days as (
    select
        days.*,
        chats.agent_id,
        chats.department_id,
        chats.provider,
        chats.direction,
        {%- for time in times %}
        case when days.is_created then chats.{{ time }}_seconds end as {{ time }}_seconds{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_chat_days') }} as days
    inner join {{ ref('chat_response_times') }} as chats on chats.chat_id = days.chat_id
    where not days.is_left
        and days.local_date in (select local_date from touched_days)
),

-- A chat without an agent counts for no agent; one without a department counts for none, so that the departments' sum
-- is everything.
scoped as (
    select
        chat_days.*,
        scopes.*
    from chat_days
    cross join lateral (
        values
        ('all', 'all'),
        ('agent', agent_id),
        ('department', coalesce(department_id, 'none')),
        ('provider', provider),
        ('direction', direction)
    ) as scopes (scope, scope_id)
    where scopes.scope_id is not null
)

select
    local_date,
    scope,
    scope_id,
    count(*) filter (where is_created)::integer as chat_count,
    count(*) filter (where is_closed)::integer as closed_chat_count,
    sum(incoming_message_count)::integer as incoming_message_count,
    sum(outgoing_message_count)::integer as outgoing_message_count,
    sum(reopened_count)::integer as reopened_count,
    sum(agent_transfer_count)::integer as agent_transfer_count,
    sum(department_transfer_count)::integer as department_transfer_count,
    {%- for time in times %}
    count({{ time }}_seconds)::integer as {{ time }}_count,
    sum({{ time }}_seconds)::bigint as sum_{{ time }}_seconds,
    percentile_cont(0.5) within group (order by {{ time }}_seconds) as p50_{{ time }}_seconds,
    percentile_cont(0.9) within group (order by {{ time }}_seconds) as p90_{{ time }}_seconds{{ ',' if not loop.last }}
    {%- endfor %}
from scoped
group by local_date, scope, scope_id
