select turns.*
from {{ ref('int_room_clock') }} as clock
inner join {{ ref('reply_turns') }} as turns on turns.chat_id = clock.chat_id
