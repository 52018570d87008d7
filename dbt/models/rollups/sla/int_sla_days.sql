{{ config(
    materialized='incremental',
    unique_key='opened_local_date',
    meta={'affected_by': 'int_affected_sla_days'},
    indexes=[{'columns': ['opened_local_date', 'scope', 'scope_id', 'metric', 'clock'], 'unique': true}],
) }}

with affected as (
    select distinct opened_local_date from {{ ref('int_affected_sla_days') }} as affected
    where {{ load_window('affected') }}
),

judged as (
    select
        chats.opened_local_date,
        scopes.scope,
        scopes.scope_id,
        chats.metric,
        clocks.clock,
        clocks.state,
        clocks.seconds_past
    from {{ ref('sla_chats') }} as chats
    cross join lateral (
        {{ scopes('chats', by_direction=true) }}
    ) as scopes (scope, scope_id)
    cross join lateral (
        values
        ('wall', chats.wall_state, chats.wall_seconds_past),
        ('business', chats.business_state, chats.business_seconds_past)
    ) as clocks (clock, state, seconds_past)
    where not chats.is_deleted
        and scopes.scope_id is not null
        and {{ is_of('affected', 'opened_local_date') }}
)

select
    opened_local_date,
    scope,
    scope_id,
    metric,
    clock,
    count(*) filter (where state = 'met')::integer as met_count,
    count(*) filter (where state = 'breached')::integer as breached_count,
    count(*) filter (where state = 'pending')::integer as pending_count,
    count(*) filter (where state = 'not_applicable')::integer as not_applicable_count,
    count(seconds_past)::integer as late_count,
    sum(seconds_past)::bigint as sum_seconds_past,
    percentile_cont(0.9) within group (order by seconds_past) as p90_seconds_past
from judged
group by opened_local_date, scope, scope_id, metric, clock
