{{ config(
    materialized='incremental',
    unique_key='week_start',
    meta={'affected_by': 'int_affected_traffic_weeks'},
    indexes=[
        {'columns': ['scope', 'scope_id', 'local_date', 'hour'], 'unique': true},
        {'columns': ['week_start']},
    ],
) }}

with affected_weeks as (
    select distinct week_start
    from {{ ref('int_affected_traffic_weeks') }} as affected
    where {{ load_window('affected') }}
),

traffic as (
    select * from {{ ref('int_chat_traffic') }}
    where {{ is_of('affected_weeks', 'week_start') }}
)

select
    traffic.week_start,
    traffic.local_date,
    traffic.hour,
    scopes.scope,
    scopes.scope_id,
    sum(traffic.chat_count)::integer as chat_count,
    sum(traffic.incoming_chat_count)::integer as incoming_chat_count,
    sum(traffic.outgoing_chat_count)::integer as outgoing_chat_count,
    sum(traffic.message_count)::integer as message_count,
    sum(traffic.incoming_message_count)::integer as incoming_message_count,
    sum(traffic.outgoing_message_count)::integer as outgoing_message_count
from traffic
cross join lateral (
    {{ scopes('traffic') }}
) as scopes (scope, scope_id)
where scopes.scope_id is not null
    and traffic.chat_count + traffic.message_count > 0
group by traffic.week_start, traffic.local_date, traffic.hour, scopes.scope, scopes.scope_id
