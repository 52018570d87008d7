-- A view: it is right whenever it is read, and the asset that categorizes runs after the models.
{%- set final_intent = 'coalesce(labels.customer_intent, answers.customer_intent)' %}
{%- set final_sentiment = 'coalesce(labels.sentiment, answers.sentiment)' %}
{%- set final_stage -%}
    case when not coalesce(labels.no_stage_applies, false) then coalesce(labels.journey_stage, answers.journey_stage) end
{%- endset %}

with current_answers as (
    select * from {{ source('analysis', 'current_answers') }}
),

answers as (
    select * from {{ source('analysis', 'answers') }}
),

newest_labels as (
    select distinct on (chat_id) *
    from {{ source('analysis', 'human_labels') }}
    order by chat_id, label_id desc
),

queue as (
    select * from {{ source('analysis', 'review_queue') }}
)

select
    current_answers.chat_id,
    current_answers.state,
    {{ label_columns('state', 'current_answers.state', 'states') }},
    current_answers.reason as state_reason,
    answers.provider,
    answers.model,
    answers.version,
    answers.is_llm,
    {{ classified_by('answers.is_llm', 'answers.model', 'es') }} as classified_by_es,
    {{ classified_by('answers.is_llm', 'answers.model', 'en') }} as classified_by_en,
    answers.customer_intent,
    answers.journey_stage,
    answers.sentiment,
    answers.agent_quality_score::integer as agent_quality_score,
    answers.confidence_score,
    answers.confidence_source,
    answers.answer_id is not null and coalesce(queue.state = 'open', false) as needs_review,
    {{ shown_notes('answers.reasoning_notes') }} as reasoning_notes,
    answers.answered_at,
    {{ final_intent }} as final_intent,
    {{ final_stage }} as final_stage,
    {{ final_sentiment }} as final_sentiment,
    case
        when not coalesce(labels.no_quality_applies, false)
            then coalesce(labels.agent_quality_score, answers.agent_quality_score)::integer
    end as final_agent_quality_score,
    case
        when labels.chat_id is not null then 'human'
        when answers.provider = 'anthropic' then 'llm'
        else answers.provider
    end as final_source,
    outdated.chat_id is not null as has_outdated_label,
    {{ label_columns('final_intent', final_intent, 'intents') }},
    {{ label_columns('final_stage', final_stage, 'stages') }},
    {{ label_columns('final_sentiment', final_sentiment, 'sentiments') }}
from current_answers
left join answers on answers.answer_id = current_answers.answer_id
left join newest_labels as labels
    on labels.chat_id = current_answers.chat_id and labels.content_key = current_answers.content_key
left join newest_labels as outdated
    on outdated.chat_id = current_answers.chat_id and outdated.content_key <> current_answers.content_key
left join queue on queue.chat_id = current_answers.chat_id
{{ join_labels('states', "'state'", 'current_answers.state') }}
{{ join_labels('intents', "'customer_intent'", final_intent) }}
{{ join_labels('stages', "'journey_stage'", final_stage) }}
{{ join_labels('sentiments', "'sentiment'", final_sentiment) }}
