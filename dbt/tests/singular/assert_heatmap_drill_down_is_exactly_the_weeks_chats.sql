{{ config(tags='all_history', meta={'dagster': {'ref': {'name': 'heatmap_cell_chats'}}}) }}

-- The chats of the 168 drill-downs of a week, unfiltered, are the week's chats with a first response time, each once.
with drilled as (
    select
        week_start,
        chat_id,
        count(*) as times
    from {{ ref('heatmap_cell_chats') }}
    where agent_id = 'all' and direction_filter = 'all' and office_hours_filter = 'all'
    group by week_start, chat_id
),

expected as (
    select
        created_week_start as week_start,
        chat_id
    from {{ ref('chat_response_times') }}
    where response_at >= opened_at and created_week_start is not null and not is_deleted
)

select
    drilled.chat_id as drilled_chat_id,
    expected.chat_id as expected_chat_id,
    drilled.times
from drilled
full join expected on expected.week_start = drilled.week_start and expected.chat_id = drilled.chat_id
where drilled.times is distinct from 1 or expected.chat_id is null
