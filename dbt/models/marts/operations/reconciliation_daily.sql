{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_days', 'affected_key': 'day'},
) }}

with affected as (
    select distinct day as created_local_date from {{ ref('int_affected_days') }} as affected
    where {{ load_window('affected') }}
),

-- By key: core's chats are not indexed by day.
of_days as (
    select chat_id as id from {{ ref('chat_response_times') }}
    where {{ is_of('affected', 'created_local_date') }}
),

chats as (
    select * from {{ ref('chats') }}
    where not is_deleted and {{ is_of('of_days', 'id') }}
),

times as (
    select
        chats.created_local_date as local_date,
        chats.id as chat_id,
        compared.*,
        compared.reported_seconds - compared.our_seconds as difference_seconds
    from chats
    left join {{ ref('int_chat_message_marks') }} as marks on marks.chat_id = chats.id
    cross join lateral (
        values
        ('resolution', chats.duration, chats.reported_duration),
        (
            'first_response',
            {{ seconds_between('chats.opened_at', 'marks.first_agent_message_at') }},
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
