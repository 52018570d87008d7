{{ config(tags='all_history', meta={'dagster': {'ref': {'name': 'int_traffic_cells'}}}) }}

-- Every conversation has one source, one channel and one department, none where it names none: what is counted once in all is
-- counted once among the sources, the channels and the departments. The days of the last five weeks; all where everything is tested.
{%- set counts = [
    ('traffic: chats', 'int_traffic_cells', 'local_date', 'true', 'chat_count'),
    ('traffic: messages', 'int_traffic_cells', 'local_date', 'true', 'message_count'),
    ('sla', 'int_sla_days', 'opened_local_date', "metric = 'overall' and clock = 'wall'", 'met_count + breached_count'),
    ('response times', 'int_response_times', 'period_start', "period = 'day' and metric = 'reply' and clock = 'wall'", 'count'),
    ('backlog', 'int_backlog_days', 'local_date', "state = 'open'", 'chat_count'),
    ('days of chats', 'int_performance_days', 'local_date', 'true', 'chat_count + closed_chat_count + reply_count'),
    ('surveys', 'int_outcome_days', 'local_date', 'true', 'closed_chat_count'),
    ('heatmap', 'heatmap_weeks', 'week_start', "direction_filter = 'all' and office_hours_filter = 'all'", 'chat_count'),
] %}

with counted as (
    {%- for name, relation, local_date, condition, count in counts %}
    select
        '{{ name }}' as counted,
        {{ local_date }} as local_date,
        coalesce(sum({{ count }}) filter (where scope = 'all'), 0) as of_all,
        coalesce(sum({{ count }}) filter (where scope = 'department'), 0) as of_departments,
        coalesce(sum({{ count }}) filter (where scope = 'channel'), 0) as of_channels,
        coalesce(sum({{ count }}) filter (where scope = 'source'), 0) as of_sources
    from {{ ref(relation) }}
    where {{ condition }}
        {%- if not var('test_everything') %}
        and {{ local_date }} >= (select max({{ local_date }}) from {{ ref(relation) }}) - 35
        {%- endif %}
    group by {{ local_date }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
)

select *
from counted
where of_departments <> of_all or of_channels <> of_all or of_sources <> of_all
