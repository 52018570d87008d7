-- A view over the chats of its periods: who reads one period of one scope pays for that.
with counted as (
    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        chats.direction,
        chats.created_day_of_week as day_of_week,
        chats.created_local_hour as hour,
        count(*)::integer as created_chat_count,
        count(chats.first_response_seconds)::integer as chat_count,
        avg(chats.first_response_seconds)::double precision as mean_first_response_seconds,
        percentile_cont(0.5) within group (order by chats.first_response_seconds) as p50_first_response_seconds,
        percentile_cont(0.9) within group (order by chats.first_response_seconds) as p90_first_response_seconds
    from {{ ref('int_periods') }} as periods
    inner join {{ ref('chat_response_times') }} as chats
        on chats.created_local_date between periods.period_start and periods.period_end
    cross join lateral ({{ scopes('chats', [credited_agent('first_response', 'chats')]) }}) as scopes (scope, scope_id)
    where not chats.is_deleted and scopes.scope_id is not null
    group by
        periods.period, periods.period_start, scopes.scope, scopes.scope_id, chats.direction,
        chats.created_day_of_week, chats.created_local_hour
),

cells as not materialized (
    select
        counted.period,
        counted.period_start,
        counted.scope,
        counted.scope_id,
        counted.direction,
        counted.day_of_week,
        counted.hour,
        counted.created_chat_count,
        counted.chat_count,
        {%- for statistic in ['mean', 'p50', 'p90'] %}
        {%- set seconds = statistic ~ '_first_response_seconds' %}
        {{ time_of_one_source('counted.' ~ seconds) }} as {{ seconds }}{{ ',' if not loop.last }}
        {%- endfor %}
    from counted
    {{ join_mixed_members('counted') }}
)

{{ compared_cells('cells', ['period', 'period_start', 'scope', 'scope_id', 'direction']) }}
