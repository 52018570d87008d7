-- A view: people close its rows between two builds. What the machine says no more is not to be reviewed.
with queue as (
    select * from {{ source('analysis', 'review_queue') }}
),

current_answers as (
    select * from {{ source('analysis', 'current_answers') }}
    where answer_id is not null
),

answers as (
    select * from {{ source('analysis', 'answers') }}
),

chats as (
    select * from {{ ref('chat_response_times') }}
)

select
    queue.chat_id,
    queue.state,
    concat_ws(
        ', ',
        case when queue.is_suspicious then 'suspicious' end,
        case when queue.is_disputed then 'disputed' end,
        case when queue.is_friction_with_high_quality then 'friction_with_high_quality' end,
        case when queue.is_low_confidence then 'low_confidence' end,
        case when queue.has_outdated_label then 'outdated_label' end,
        case when queue.is_random then 'random' end
    ) as reasons,
    queue.is_suspicious,
    queue.is_disputed,
    queue.is_friction_with_high_quality,
    queue.is_low_confidence,
    queue.has_outdated_label,
    queue.is_random,
    chats.agent_id,
    chats.agent_name,
    chats.department_id,
    chats.department_name,
    chats.created_local_date,
    answers.model,
    answers.is_llm,
    {{ classified_by('answers.is_llm', 'answers.model', 'es') }} as classified_by_es,
    {{ classified_by('answers.is_llm', 'answers.model', 'en') }} as classified_by_en,
    answers.customer_intent,
    answers.journey_stage,
    answers.sentiment,
    answers.agent_quality_score::integer as agent_quality_score,
    answers.confidence_score,
    queue.queued_at,
    queue.closed_at
from queue
inner join answers on answers.answer_id = queue.answer_id
left join chats on chats.chat_id = queue.chat_id
left join current_answers on current_answers.chat_id = queue.chat_id
where queue.state <> 'open' or current_answers.chat_id is not null
