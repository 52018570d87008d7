{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_days', 'affected_key': 'day'},
) }}

with chats as (
    select * from {{ ref('chats') }}
    where not is_deleted and created_local_date in (
        select day from {{ ref('int_affected_days') }} as affected
        where {{ load_window('affected') }}
    )
),

-- The first message after the pick-up that no broadcast and no known bot wrote.
first_agent_messages as (
    select
        messages.chat_id,
        min(messages.timestamp) as written_at
    from {{ ref('messages') }} as messages
    inner join chats on chats.id = messages.chat_id
    where not messages.incoming
        and not messages.is_broadcast
        and messages.is_bot is not true
        and messages.timestamp >= chats.picked_up_at
    group by messages.chat_id
),

times as (
    select
        chats.created_local_date as local_date,
        chats.id as chat_id,
        compared.*,
        compared.reported_seconds - compared.our_seconds as difference_seconds
    from chats
    left join first_agent_messages as first_message on first_message.chat_id = chats.id
    cross join lateral (
        values
        ('resolution', chats.duration, chats.reported_duration),
        (
            'first_response',
            {{ seconds_between('chats.opened_at', 'first_message.written_at') }},
            {{ seconds_between('chats.opened_at', 'chats.response_at') }}
        )
    ) as compared (measure, our_seconds, reported_seconds)
),

ranked as (
    select
        *,
        row_number() over (
            partition by local_date, measure order by abs(difference_seconds) desc nulls last, chat_id
        ) as difference_rank
    from times
)

select
    local_date,
    measure,
    count(difference_seconds)::integer as compared_count,
    (count(*) filter (where difference_seconds = 0))::integer as equal_count,
    (count(*) filter (where difference_seconds <> 0))::integer as differing_count,
    (count(*) filter (where our_seconds is not null and reported_seconds is null))::integer as only_ours_count,
    (count(*) filter (where our_seconds is null and reported_seconds is not null))::integer as only_reported_count,
    (count(*) filter (where difference_seconds <> 0))::double precision / nullif(count(difference_seconds), 0)
        as differing_share,
    sum(difference_seconds)::bigint as sum_difference_seconds,
    sum(difference_seconds)::double precision / nullif(count(difference_seconds), 0) as mean_difference_seconds,
    max(abs(difference_seconds)) as max_difference_seconds,
    string_agg(chat_id, ', ' order by difference_rank) filter (where difference_seconds <> 0 and difference_rank <= 5)
        as sample_ids
from ranked
group by local_date, measure
