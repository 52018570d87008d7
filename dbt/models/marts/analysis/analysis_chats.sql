-- A view: a chat that was deleted leaves it with its row.
with members as (
    select * from {{ source('analysis', 'analysis_chats') }}
),

chats as (
    select * from {{ ref('chat_response_times') }}
),

categorizations as (
    select * from {{ source('analysis', 'customer_categorizations') }}
)

select
    members.analysis_id,
    members.chat_id,
    members.state,
    members.reason,
    case categorizations.model_vendor when 'anthropic' then 'llm' else categorizations.model_vendor end as source,
    categorizations.agent_quality_score::integer as agent_quality_score,
    chats.source as conversation_source,
    chats.created_local_date,
    chats.created_day_of_week,
    chats.created_local_hour,
    chats.first_response_seconds
from members
inner join chats on chats.chat_id = members.chat_id and not chats.is_deleted
left join categorizations
    on categorizations.analysis_id = members.analysis_id and categorizations.chat_id = members.chat_id
