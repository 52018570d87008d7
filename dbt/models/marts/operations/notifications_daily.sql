-- A view over the log of alerts: it is right whenever it is read, and has nothing to catch up with.
with messages as (
    select
        notification_id,
        count(*) filter (where status = 'sent') as sent_count,
        count(*) filter (where status = 'failed') as failed_count,
        count(*) filter (where status = 'pending') as waiting_count
    from {{ source('ops', 'notification_deliveries') }}
    group by notification_id
)

select
    {{ local_time('episodes.created_at') }}::date as local_date,
    episodes.kind,
    count(*)::integer as opened_count,
    (count(*) filter (where episodes.type = 'error'))::integer as error_count,
    (count(*) filter (where episodes.recovered_at is null))::integer as lasting_count,
    avg(extract(epoch from episodes.recovered_at - episodes.created_at))::double precision as mean_recovery_seconds,
    max(extract(epoch from episodes.recovered_at - episodes.created_at))::double precision as longest_recovery_seconds,
    coalesce(sum(messages.sent_count), 0)::integer as sent_message_count,
    coalesce(sum(messages.failed_count), 0)::integer as failed_message_count,
    coalesce(sum(messages.waiting_count), 0)::integer as waiting_message_count
from {{ source('ops', 'notifications') }} as episodes
left join messages on messages.notification_id = episodes.id
where episodes.kind <> 'weekly_report'
group by 1, 2
