-- No CTEs here: Postgres merges only a view without them into its reader's query, and so works out the hours of the
-- chats that are read, not of all. A holiday closes the spans that start on it.
select
    chats.id as chat_id,
    exists (
        select 1 from {{ ref('int_business_hours_by_day') }} as hours
        where hours.weekday = extract(isodow from chats.created_local_date)
            and chats.created_local_date - hours.days_after_start between hours.valid_from and hours.valid_to
            and {{ local_time('chats.created_at') }}::time >= hours.starts_at
            and {{ local_time('chats.created_at') }}::time < hours.ends_at
            and chats.created_local_date - hours.days_after_start not in (
                select holiday_date from {{ ref('holidays') }}
                where calendar = '{{ var("business_calendar") }}'
            )
    ) as is_office_hours
from {{ ref('chats') }} as chats
