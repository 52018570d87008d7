select
    week_start,
    load_id
from {{ ref('int_chat_traffic') }}
