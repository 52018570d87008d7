select
    times.*,
    clock.handled_by,
    clock.level,
    clock.is_escalated
from {{ ref('int_room_clock') }} as clock
inner join {{ ref('chat_response_times') }} as times on times.chat_id = clock.chat_id
