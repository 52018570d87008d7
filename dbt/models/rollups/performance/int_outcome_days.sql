{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_performance_days'},
    indexes=[{'columns': ['local_date', 'scope', 'scope_id'], 'unique': true}],
) }}

{%- set surveys = ['completed', 'abandoned', 'lapsed', 'answering'] %}
{%- set bots = ['handed_over', 'contained', 'lost_in_queue', 'with_bot'] %}

with affected_days as (
    select distinct local_date
    from {{ ref('int_affected_performance_days') }} as affected
    where {{ load_window('affected') }}
),

-- A survey counts on the day of the closing, a bot on that of the creation, a broadcast on that on which it was sent.
outcomes as (
    select
        days.local_date,
        days.is_closed,
        days.is_broadcast,
        chats.agent_id,
        chats.department_id,
        chats.channel,
        chats.source,
        chats.is_converted,
        case when days.is_closed then outcomes.survey_state end as survey_state,
        case when days.is_created then outcomes.bot_state end as bot_state,
        case when days.is_created then outcomes.bot_seconds end as bot_seconds,
        case when days.is_broadcast then outcomes.broadcast_answer_seconds end as answer_seconds
    from {{ ref('int_chat_day_facts') }} as days
    inner join {{ ref('int_chat_outcomes') }} as outcomes on outcomes.chat_id = days.chat_id
    inner join {{ ref('chat_response_times') }} as chats on chats.chat_id = days.chat_id
    where not days.is_left
        and (days.is_closed or days.is_broadcast or outcomes.bot_state is not null)
        and {{ is_of('affected_days', 'days.local_date', 'local_date') }}
),

scoped as (
    select
        outcomes.*,
        scopes.*
    from outcomes
    cross join lateral (
        {{ scopes('outcomes') }}
    ) as scopes (scope, scope_id)
    where scopes.scope_id is not null
)

select
    local_date,
    scope,
    scope_id,
    count(*) filter (where is_closed)::integer as closed_chat_count,
    {%- for state in surveys %}
    count(*) filter (where survey_state = '{{ state }}')::integer as survey_{{ state }}_count,
    {%- endfor %}
    {%- for state in bots %}
    count(*) filter (where bot_state = '{{ state }}')::integer as bot_{{ state }}_count,
    {%- endfor %}
    count(bot_seconds)::integer as bot_time_count,
    sum(bot_seconds)::bigint as sum_bot_seconds,
    percentile_cont(0.5) within group (order by bot_seconds) as p50_bot_seconds,
    percentile_cont(0.9) within group (order by bot_seconds) as p90_bot_seconds,
    count(*) filter (where is_broadcast)::integer as broadcast_count,
    count(answer_seconds)::integer as broadcast_answered_count,
    count(*) filter (where is_broadcast and is_converted)::integer as broadcast_converted_count,
    sum(answer_seconds)::bigint as sum_answer_seconds,
    percentile_cont(0.5) within group (order by answer_seconds) as p50_answer_seconds,
    percentile_cont(0.9) within group (order by answer_seconds) as p90_answer_seconds
from scoped
group by local_date, scope, scope_id
having count(survey_state) + count(bot_state) + count(*) filter (where is_closed or is_broadcast) > 0
