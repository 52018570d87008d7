-- A view: a chat that was deleted leaves it with its row.
with categorizations as (
    select * from {{ source('analysis', 'customer_categorizations') }}
),

chats as (
    select * from {{ ref('chat_response_times') }}
)

select
    categorizations.analysis_id,
    categorizations.chat_id,
    chats.agent_id,
    chats.agent_name,
    chats.department_id,
    chats.department_name,
    chats.provider as channel,
    chats.created_at as chat_created_at,
    chats.created_local_date,
    categorizations.customer_intent,
    categorizations.journey_stage,
    categorizations.sentiment,
    categorizations.agent_quality_score::integer as agent_quality_score,
    categorizations.confidence_score,
    {{ shown_notes('categorizations.reasoning_notes') }} as reasoning_notes,
    categorizations.provider as classified_by_provider,
    categorizations.model,
    categorizations.classified_by,
    categorizations.is_llm,
    {{ classified_by('categorizations.is_llm', 'categorizations.model', 'es') }} as classified_by_es,
    {{ classified_by('categorizations.is_llm', 'categorizations.model', 'en') }} as classified_by_en,
    categorizations.created_at,
    {{ label_columns('customer_intent', 'categorizations.customer_intent', 'intents') }},
    {{ label_columns('journey_stage', 'categorizations.journey_stage', 'stages') }},
    {{ label_columns('sentiment', 'categorizations.sentiment', 'sentiments') }}
from categorizations
inner join chats on chats.chat_id = categorizations.chat_id and not chats.is_deleted
{{ join_labels('intents', "'customer_intent'", 'categorizations.customer_intent') }}
{{ join_labels('stages', "'journey_stage'", 'categorizations.journey_stage') }}
{{ join_labels('sentiments', "'sentiment'", 'categorizations.sentiment') }}
