{{ config(tags='all_history', meta={'dagster': {'ref': {'name': 'response_times_daily'}}}) }}

-- Whose conversations are of several sources, by the conversations themselves, has no time in any row of any mart.
-- With one source there is nobody to ask after.
{%- set shown = [
    ('response_times_daily', 'scope', 'scope_id', 'mean_seconds, sum_seconds, p50_seconds, max_seconds, previous_mean_seconds, mean_delta_pct'),
    ('response_times_weekly', 'scope', 'scope_id', 'mean_seconds, sum_seconds, p90_seconds, previous_p50_seconds'),
    ('response_times_monthly', 'scope', 'scope_id', 'mean_seconds, sum_seconds, p99_seconds, p50_delta_pct'),
    ('account_daily', "'all'", "'all'", 'mean_reply_seconds, sum_reply_seconds, p50_pickup_seconds, mean_handling_seconds'),
    ('department_daily', "'department'", 'department_id', 'mean_reply_seconds, sum_reply_seconds, p90_resolution_seconds'),
    ('channel_daily', "'channel'", 'channel', 'mean_reply_seconds, sum_reply_seconds, previous_mean_reply_seconds'),
    ('sla_daily', 'scope', 'scope_id', 'sum_seconds_past, mean_seconds_past, p90_seconds_past'),
    ('sla_weekly', 'scope', 'scope_id', 'sum_seconds_past, mean_seconds_past'),
    ('heatmap_weeks', 'scope', 'scope_id', 'mean_first_response_seconds, sum_first_response_seconds, slowest_mean_seconds'),
    ('heatmap_cells', 'scope', 'scope_id', 'mean_first_response_seconds, sum_first_response_seconds, band, slowest_rank'),
] %}

with mixed as materialized (
    select
        scopes.scope,
        scopes.scope_id
    from {{ ref('chat_response_times') }} as chats
    cross join lateral ({{ scopes('chats', credited_agents('chats'), by_direction=true) }}) as scopes (scope, scope_id)
    where not chats.is_deleted
        and chats.created_local_date is not null
        and scopes.scope_id is not null
        and (
            select min(sources.source) <> max(sources.source) from {{ ref('chat_response_times') }} as sources
            where not sources.is_deleted
        )
    group by scopes.scope, scopes.scope_id
    having min(chats.source) <> max(chats.source)
)
{% for mart, scope, scope_id, times in shown %}
select
    '{{ mart }}' as mart,
    {{ scope }} as scope,
    {{ scope_id }} as scope_id,
    count(*) as row_count
from {{ ref(mart) }}
where ({{ scope }}, {{ scope_id }}) in (select mixed.scope, mixed.scope_id from mixed)
    and num_nonnulls({{ times }}) > 0
group by 1, 2, 3
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
