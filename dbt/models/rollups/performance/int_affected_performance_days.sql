-- Which load changed what is counted on a local day: each day of a chat, those that it left too, and the day whose times
-- were judged anew.
select
    local_date,
    load_id
from {{ ref('int_chat_day_facts') }}

union all

select
    created_local_date as local_date,
    load_id
from {{ ref('chat_response_times') }}
