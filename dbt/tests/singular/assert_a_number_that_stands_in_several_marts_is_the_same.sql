{{ config(tags='all_history', meta={'dagster': {'ref': {'name': 'account_daily'}}}) }}

-- Each number that several marts tell is the same in all, day by day or week by week: the last two weeks, and all of
-- history under test_everything. Sums over departments, channels and sources too; agents' are less, for some chats have none.
-- A mart without a row for a day tells 0.
{%- set all = "scope = 'all'" %}
{%- set all_shown = "scope = 'all' and week_start >= (select first_date from shown)" %}
{%- set first_responses = "scope = 'all' and metric = 'first_response' and clock = 'wall'" %}
{%- set no_filters -%}
    direction_filter = 'all' and office_hours_filter = 'all' and week_start >= (select first_date from shown)
{%- endset %}
{%- set unfiltered = "agent_id = 'all' and " ~ no_filters %}
{%- set week_of_day = "date_trunc('week', local_date)::date" %}
{%- set labelled = "scope = 'all' and field = 'customer_intent'" %}
{%- set buckets = 'under_1m_count + from_1m_to_3m_count + from_3m_to_5m_count + from_5m_to_10m_count + over_10m_count' %}
{#- (number, mart, its date, what is summed, of which rows) -#}
{%- set told = [
    ('chats', 'account_daily', 'local_date', 'chat_count', 'true'),
    ('chats', 'channel_daily', 'local_date', 'chat_count', 'true'),
    ('chats', 'department_daily', 'local_date', 'chat_count', 'true'),
    ('chats', 'source_daily', 'local_date', 'chat_count', 'true'),
    ('chats', 'kpi_daily', 'local_date', 'value', all ~ " and metric = 'chats_created'"),
    ('chats', 'conversation_traffic_heatmap', 'cell_date', 'chat_count', all_shown),
    ('chats', 'chat_response_times', 'created_local_date', '1', 'not is_deleted'),
    ('messages of customers', 'account_daily', 'local_date', 'incoming_message_count', 'true'),
    ('messages of customers', 'department_daily', 'local_date', 'incoming_message_count', 'true'),
    ('messages of customers', 'kpi_daily', 'local_date', 'value', all ~ " and metric = 'messages_in'"),
    ('messages of customers', 'conversation_traffic_heatmap', 'cell_date', 'incoming_message_count', all_shown),
    ('messages sent', 'account_daily', 'local_date', 'outgoing_message_count', 'true'),
    ('messages sent', 'channel_daily', 'local_date', 'outgoing_message_count', 'true'),
    ('messages sent', 'conversation_traffic_heatmap', 'cell_date', 'outgoing_message_count', all_shown),
    ('chats closed', 'account_daily', 'local_date', 'closed_chat_count', 'true'),
    ('chats closed', 'department_daily', 'local_date', 'closed_chat_count', 'true'),
    ('chats closed', 'kpi_daily', 'local_date', 'value', all ~ " and metric = 'chats_closed'"),
    ('chats of B2Chat closed', 'source_daily', 'local_date', 'closed_chat_count', "source = 'b2chat'"),
    ('chats of B2Chat closed', 'survey_daily', 'local_date', 'closed_chat_count', all),
    ('first responses', 'account_daily', 'local_date', 'first_response_count', 'true'),
    ('first responses', 'channel_daily', 'local_date', 'first_response_count', 'true'),
    ('first responses', 'response_times_daily', 'period_start', 'count', first_responses),
    ('first responses', 'weekly_response_time_heatmap', 'cell_date', 'chat_count', unfiltered),
    ('first responses in buckets', 'account_daily', 'local_date', 'first_response_count', 'true'),
    ('first responses in buckets', 'response_times_daily', 'period_start', buckets, first_responses),
    ('seconds to first responses', 'account_daily', 'local_date', 'sum_first_response_seconds', 'true'),
    ('seconds to first responses', 'department_daily', 'local_date', 'sum_first_response_seconds', 'true'),
    ('seconds to first responses', 'response_times_daily', 'period_start', 'sum_seconds', first_responses),
    ('replies', 'account_daily', 'local_date', 'reply_count', 'true'),
    ('replies', 'reply_turns', 'replied_local_date', '1', 'is_answered and not is_deleted'),
    ('replies', 'response_times_daily', 'period_start', 'count', all ~ " and metric = 'reply' and clock = 'wall'"),
    ('first responses in time', 'account_daily', 'local_date', 'sla_first_response_wall_met_count', 'true'),
    ('first responses in time', 'channel_daily', 'local_date', 'sla_first_response_wall_met_count', 'true'),
    ('first responses in time', 'sla_daily', 'local_date', 'met_count', first_responses),
    (
        'first responses in time', 'sla_chats', 'opened_local_date', '1',
        "not is_deleted and metric = 'first_response' and wall_state = 'met'"
    ),
    ('chats that broke the SLA', 'account_daily', 'local_date', 'sla_overall_business_breached_count', 'true'),
    ('chats that broke the SLA', 'department_daily', 'local_date', 'sla_overall_business_breached_count', 'true'),
    (
        'chats that broke the SLA', 'sla_daily', 'local_date', 'breached_count',
        all ~ " and metric = 'overall' and clock = 'business'"
    ),
    (
        'chats that broke the SLA', 'sla_breaches', 'opened_local_date', '1',
        "metric = 'overall' and clock = 'business'"
    ),
    ('first responses of a week', 'response_times_weekly', 'period_start', 'count', first_responses),
    ('first responses of a week', 'heatmap_weeks', 'week_start', 'chat_count', unfiltered),
    ('first responses of a week', 'heatmap_cells', 'week_start', 'chat_count', unfiltered),
    ('first responses of a week', 'weekly_response_time_summary', 'week_start', 'chat_count', unfiltered),
    ('first responses of a week', 'heatmap_cell_chats', 'week_start', '1', unfiltered),
    ('first responses of a week', 'kpi_weekly', 'period_start', 'count', all ~ " and metric = 'first_response_p90'"),
    ('first responses on channels', 'channel_daily', week_of_day, 'first_response_count', 'true'),
    ('first responses on channels', 'heatmap_weeks', 'week_start', 'chat_count', "scope = 'channel' and " ~ no_filters),
    ('first responses on channels', 'weekly_response_time_heatmap', 'week_start', 'chat_count', "scope = 'channel' and " ~ no_filters),
    ('first responses of departments', 'department_daily', week_of_day, 'first_response_count', 'true'),
    ('first responses of departments', 'heatmap_weeks', 'week_start', 'chat_count', "scope = 'department' and " ~ no_filters),
    ('chats of a week', 'kpi_weekly', 'period_start', 'value', all ~ " and metric = 'chats_created'"),
    (
        'chats of a week', 'conversation_traffic_heatmap', 'week_start', 'chat_count', all_shown
    ),
    ('chats of a week', 'channel_daily', week_of_day, 'chat_count', 'true'),
    ('SLA in time in a week', 'sla_weekly', 'period_start', 'met_count', all ~ " and metric = 'overall' and clock = 'wall'"),
    (
        'SLA in time in a week', 'sla_daily', week_of_day, 'met_count',
        all ~ " and metric = 'overall' and clock = 'wall'"
    ),
    (
        'SLA in time in a week', 'department_daily', week_of_day,
        'sla_overall_wall_met_count', 'true'
    ),
    ('chats with a category', 'categories_daily', week_of_day, 'chat_count', labelled),
    ('chats with a category', 'categories_weekly', 'period_start', 'chat_count', labelled),
    ('broadcasts', 'broadcast_daily', 'local_date', 'sent_count', all),
    ('broadcasts', 'kpi_daily', 'local_date', 'value', all ~ " and metric = 'broadcasts_sent'"),
] %}

with last_day as materialized (
    select max(local_date) as local_date from {{ ref('account_daily') }}
),

shown as materialized (
    select
        {%- if var('test_everything') %}
        '-infinity'::date as first_date,
        {%- else %}
        date_trunc('week', local_date)::date - 7 as first_date,
        {%- endif %}
        local_date as last_date
    from last_day
),

marts (number, mart) as (
    values
    {%- for number, mart, date, value, rows in told %}
    ('{{ number }}', '{{ mart }}'){{ ',' if not loop.last }}
    {%- endfor %}
),

told as (
    {%- for number, mart, date, value, rows in told %}
    select
        '{{ number }}' as number,
        '{{ mart }}' as mart,
        {{ date }} as date,
        sum({{ value }})::numeric as value
    from {{ ref(mart) }}
    where {{ rows }}
        {%- if number.startswith('seconds') %}
        -- Of several sources all have no times, and their departments do.
        and not exists (select 1 from {{ ref('int_mixed_members') }} as mixed where mixed.scope = 'all')
        {%- endif %}
        and {{ date }} between (select first_date from shown) and (select last_date from shown)
    group by {{ date }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
)

select
    dates.number,
    dates.date,
    jsonb_object_agg(marts.mart, coalesce(told.value, 0)) as told
from (select distinct number, date from told) as dates
inner join marts on marts.number = dates.number
left join told on told.number = marts.number and told.mart = marts.mart and told.date = dates.date
group by dates.number, dates.date
having count(distinct coalesce(told.value, 0)) > 1
