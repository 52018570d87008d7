-- A load affects the day on which a chat was opened and the days on which it was before; a deadline that passed, or another
-- target, the day on which it was opened alone.
select
    opened_local_date,
    load_id
from {{ ref('sla_chats') }}
where opened_local_date is not null

union all

select
    local_date as opened_local_date,
    load_id
from {{ ref('int_conversation_days') }}
where is_opening
