{%- set volumes = {
    'total_chats': 'count(*)',
    'total_messages': 'sum(incoming_message_count + outgoing_message_count)',
    'incoming_messages': 'sum(incoming_message_count)',
    'outgoing_messages': 'sum(outgoing_message_count)',
    'categorized_chats': "count(*) filter (where state = 'categorized')",
    'skipped_chats': "count(*) filter (where state = 'skipped')",
    'pending_chats': "count(*) filter (where state = 'pending')",
} %}

with counted as (
    select
        analysis_id,
        scope,
        scope_id,
        count(agent_quality_score) as scored_count,
        avg(agent_quality_score)::double precision as mean_score
        {%- for name, expression in volumes.items() %},
        {{ expression }} as {{ name }}
        {%- endfor %}
    from {{ ref('int_analysis_chats') }}
    group by analysis_id, scope, scope_id
),

uncategorized as (
    select
        analysis_id,
        state,
        reason,
        count(*) as chat_count
    from {{ ref('int_analysis_chats') }}
    where scope = 'all' and reason is not null
    group by analysis_id, state, reason
)

select
    counted.analysis_id,
    counted.scope,
    counted.scope_id,
    kpis.metric_type,
    kpis.category,
    kpis.metric_name,
    kpis.numeric_value::double precision as numeric_value,
    null as member,
    kpis.unit,
    kpis.count
from counted
cross join lateral (
    values
    {%- for name in volumes %}
    (
        'VOLUME', 'operational', '{{ name }}', {{ name }}::double precision,
        '{{ 'messages' if name.endswith('messages') else 'chats' }}', {{ name }}::bigint
    ),
    {%- endfor %}
    ('AGENT_QUALITY', 'customer_analysis', 'agent_quality_average', mean_score, 'points', scored_count)
) as kpis (metric_type, category, metric_name, numeric_value, unit, count)

union all

select
    analysis_id,
    'all',
    'all',
    'VOLUME',
    'operational',
    state || '_chats_because',
    chat_count::double precision,
    reason,
    'chats',
    chat_count
from uncategorized
