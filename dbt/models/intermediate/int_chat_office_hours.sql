-- A day with a holiday closes the spans that start on it.
with chats as (
    select
        id as chat_id,
        created_local_date,
        {{ local_time('created_at') }}::time as created_local_time,
        load_id
    from {{ ref('chats') }}
    where created_at is not null
),

hours as (
    select * from {{ ref('int_business_hours_by_day') }}
),

holidays as (
    select holiday_date from {{ ref('holidays') }}
    where calendar = '{{ var("business_calendar") }}'
)

select
    chat_id,
    exists (
        select 1 from hours
        where hours.weekday = extract(isodow from chats.created_local_date)
            and chats.created_local_date - hours.days_after_start between hours.valid_from and hours.valid_to
            and chats.created_local_date - hours.days_after_start not in (select holiday_date from holidays)
            and chats.created_local_time >= hours.starts_at
            and chats.created_local_time < hours.ends_at
    ) as is_office_hours
from chats
