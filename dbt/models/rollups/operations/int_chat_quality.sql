{{ config(
    materialized='incremental',
    unique_key='day',
    meta={'affected_by': 'int_affected_days'},
    indexes=[{'columns': ['day', 'source', 'rule'], 'unique': true}],
) }}

{%- set rules = {
    'opened_before_created': 'chats.opened_at < chats.created_at',
    'picked_up_before_opened': 'chats.is_pickup_negative',
    'response_before_opened': 'chats.is_first_response_negative',
    'response_before_created': 'chats.is_response_negative',
    'closed_before_opened': 'chats.is_resolution_negative',
    'closed_before_picked_up': 'chats.is_handling_negative',
    'unknown_provider': "channels.channel is null or channels.channel = 'unknown'",
    'unknown_status': "chats.status not in ('open', 'pending', 'closed')",
    'unknown_direction': "chats.direction = 'unknown'",
    'unknown_message_type': 'marks.has_unknown_type',
    'message_text_cut': 'marks.has_cut_text',
    'picked_up_without_agent': 'chats.picked_up_at is not null and chats.agent_id is null',
    'closed_without_closing_time': "chats.status = 'closed' and chats.closed_at is null",
    'closed_without_response': "chats.status = 'closed' and chats.direction = 'incoming' and chats.response_at is null",
    'without_messages': "chats.incoming_message_count + chats.outgoing_message_count = 0 and chats.source <> 'calls'",
    'without_department': 'chats.department_id is null',
    'unreadable_department': 'unreadable.id is not null',
} %}

with affected as (
    select distinct day as created_local_date from {{ ref('int_affected_days') }} as affected
    where {{ load_window('affected') }}
),

chats as (
    select
        *,
        chat_id as id
    from {{ ref('chat_response_times') }}
    where not is_deleted and {{ is_of('affected', 'created_local_date') }}
),

marks as (
    select * from {{ ref('int_chat_message_marks') }}
    where {{ is_of('chats') }}
),

unreadable as (
    select id from {{ ref('chats') }}
    where is_department_unreadable and {{ is_of('chats', 'id') }}
),

days as (
    select
        created_local_date as day,
        source,
        count(*) as checked_count
    from chats
    group by created_local_date, source
),

findings as (
    select
        chats.created_local_date as day,
        chats.source,
        found.rule,
        chats.chat_id,
        row_number() over (partition by chats.created_local_date, chats.source, found.rule order by chats.chat_id) as number
    from chats
    left join marks on marks.chat_id = chats.chat_id
    left join unreadable on unreadable.id = chats.id
    left join {{ ref('channels') }} as channels on channels.channel = chats.channel
    cross join lateral (
        values
        {%- for rule, condition in rules.items() %}
        ('{{ rule }}', {{ condition }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as found (rule, is_broken)
    where found.is_broken
),

counted as (
    select
        day,
        source,
        rule,
        count(*) as broken_count,
        string_agg(chat_id, ', ' order by chat_id) filter (where number <= 5) as sample_ids
    from findings
    group by day, source, rule
)

select
    days.day,
    days.source,
    rules.rule,
    coalesce(counted.broken_count, 0)::integer as broken_count,
    days.checked_count::integer as checked_count,
    counted.sample_ids
from days
cross join unnest(array['{{ rules | join("', '") }}']) as rules (rule)
left join counted on counted.day = days.day and counted.source = days.source and counted.rule = rules.rule
