-- A view: people close its rows between two builds. What the machine says no more is not to be reviewed.
with queue as (
    select * from {{ source('analysis', 'review_queue') }}
),

current_classifications as (
    select * from {{ source('analysis', 'current_classifications') }}
    where classification_id is not null
),

classifications as (
    select * from {{ source('analysis', 'classifications') }}
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
    classifications.model,
    classifications.is_llm,
    {{ classified_by('classifications.is_llm', 'classifications.model', 'es') }} as classified_by_es,
    {{ classified_by('classifications.is_llm', 'classifications.model', 'en') }} as classified_by_en,
    classifications.customer_intent,
    classifications.journey_stage,
    classifications.sentiment,
    classifications.agent_quality_score::integer as agent_quality_score,
    classifications.confidence_score,
    queue.queued_at,
    queue.closed_at
from queue
inner join classifications on classifications.classification_id = queue.classification_id
left join chats on chats.chat_id = queue.chat_id
left join current_classifications on current_classifications.chat_id = queue.chat_id
where queue.state <> 'open' or current_classifications.chat_id is not null
