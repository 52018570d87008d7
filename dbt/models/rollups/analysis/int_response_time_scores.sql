with chats as (
    select * from {{ ref('chat_response_times') }}
    where first_response_business_seconds is not null
),

targets as (
    select
        chat_id,
        target_seconds
    from {{ ref('sla_chats') }}
    where metric = 'first_response' and wall_state <> 'not_applicable'
)

select
    chats.chat_id,
    least(100, 100 * targets.target_seconds::double precision / nullif(chats.first_response_business_seconds, 0))
        as response_time_score
from chats
inner join targets on targets.chat_id = chats.chat_id
