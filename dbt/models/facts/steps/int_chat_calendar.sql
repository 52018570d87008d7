-- No CTEs and no join: Postgres merges such a view into its reader's query, so only the chats that are read are looked up.
select
    chats.chat_id,
    coalesce(
        {{ kept_calendar(
            ref('int_department_calendars'), 'department_id', 'chats.department_id', 'chats.created_local_date'
        ) }},
        '{{ var("business_calendar") }}'
    ) as calendar
from {{ ref('int_conversations') }} as chats
