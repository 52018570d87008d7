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
    chats.channel,
    chats.created_at as chat_created_at,
    chats.created_local_date,
    {%- for field in label_fields() %}
    categorizations.{{ field.name }},
    {%- endfor %}
    categorizations.agent_quality_score::integer as agent_quality_score,
    categorizations.confidence_score,
    {{ shown_notes('categorizations.reasoning_notes') }} as reasoning_notes,
    categorizations.model_vendor,
    categorizations.model,
    categorizations.classified_by,
    categorizations.is_llm,
    {{ classified_by('categorizations.is_llm', 'categorizations.model', 'es') }} as classified_by_es,
    {{ classified_by('categorizations.is_llm', 'categorizations.model', 'en') }} as classified_by_en,
    categorizations.created_at
    {%- for field in label_fields() %},
    {{ label_columns(field.name, 'categorizations.' ~ field.name, field.short ~ '_words') }}
    {%- endfor %}
from categorizations
inner join chats on chats.chat_id = categorizations.chat_id and not chats.is_deleted
{%- for field in label_fields() %}
{{ join_taxonomy(field.short ~ '_words', "'" ~ field.name ~ "'", 'categorizations.' ~ field.name) }}
{%- endfor %}
