-- A view: it is right whenever it is read, and the asset that categorizes runs after the models.
with current_classifications as (
    select * from {{ source('analysis', 'current_classifications') }}
),

judged as (
    select * from {{ source('analysis', 'effectiveness_analysis') }}
),

present as (
    select judged.*
    from current_classifications
    inner join judged
        on judged.chat_id = current_classifications.chat_id and judged.classification_id = current_classifications.classification_id
)

select
    present.chat_id,
    chats.agent_id,
    chats.agent_name,
    chats.department_id,
    chats.department_name,
    chats.channel,
    chats.created_local_date,
    present.effectiveness_score,
    present.state,
    present.resolution_score,
    present.customer_satisfaction,
    scores.response_time_score,
    (
        select string_agg({{ shown_notes("advice.item ->> 'text'") }}, chr(10) order by advice.place)
        from jsonb_array_elements(present.recommendations) with ordinality as advice (item, place)
    ) as recommendations,
    jsonb_array_length(present.recommendations) as recommendation_count,
    present.user_id as analysed_for,
    present.model,
    present.classified_by,
    present.is_llm,
    {{ classified_by('present.is_llm', 'present.model', 'es') }} as classified_by_es,
    {{ classified_by('present.is_llm', 'present.model', 'en') }} as classified_by_en,
    present.created_at as classified_at,
    present.created_at + interval '30 days' as reused_until_at
from present
inner join {{ ref('chat_response_times') }} as chats on chats.chat_id = present.chat_id and not chats.is_deleted
left join {{ ref('int_response_time_scores') }} as scores on scores.chat_id = present.chat_id
