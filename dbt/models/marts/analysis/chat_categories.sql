-- A view: it is right whenever it is read, and the asset that categorizes runs after the models.
with work as (
    select * from {{ source('analysis', 'chat_work') }}
    where state = 'answered'
),

answers as (
    select * from {{ source('analysis', 'answers') }}
)

select
    work.chat_id,
    answers.provider,
    answers.model,
    answers.version,
    answers.is_llm,
    case when answers.is_llm then 'clasificado por un modelo de lenguaje' else 'clasificado por reglas' end
        as classified_by_es,
    case when answers.is_llm then 'classified by a language model' else 'classified by rules' end as classified_by_en,
    answers.customer_intent,
    answers.journey_stage,
    answers.sentiment,
    answers.agent_quality_score::integer as agent_quality_score,
    answers.confidence_score,
    answers.confidence_source,
    answers.confidence_score < 0.5
        or (answers.sentiment = 'FRICTION' and coalesce(answers.agent_quality_score >= 8, false)) as needs_review,
    answers.reasoning_notes,
    answers.answered_at
from work
inner join answers on answers.answer_id = work.answer_id
