-- What is landed of a conversation, and what its times are judged by.
select
    chat_id,
    load_id
from {{ ref('int_affected_rooms') }}

union all

select
    chat_id,
    load_id
from {{ ref('chat_response_times') }}
where source = 'rooms'
