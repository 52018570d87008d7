{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_affected_chats'},
    indexes=[
        {'columns': ['created_week_start', 'agent_id']},
        {'columns': ['created_at']},
        {'columns': ['created_local_date']},
        {'columns': ['agent_id', 'created_at']},
        {'columns': ['load_id']},
    ],
) }}

{% set is_outside_calendar -%}
    (
        timed.created_at is not null and created_clock.calendar is null
        or timed.opened_at is not null and opened_clock.calendar is null
        or timed.picked_up_at is not null and picked_up_clock.calendar is null
        or timed.response_at is not null and response_clock.calendar is null
        or timed.closed_at is not null and closed_clock.calendar is null
    )
{%- endset %}

with affected as (
    select chat_id from {{ ref('int_affected_chats') }} as affected
    where {{ load_window('affected') }}
),

chats as (
    select * from {{ ref('int_conversations') }}
    where {{ is_of('affected') }}
),

rule_changes as materialized (
    select * from {{ ref('int_rule_changes') }} as changes
    where not {{ is_above_high_watermark('changes') }}
),

-- Also of a chat that is made anew for another reason: whoever reads replies by load_id has to learn of it.
identity_changes as (
    select
        changes.chat_id,
        max(changes.load_id) as load_id
    from {{ ref('int_identity_changes') }} as changes
    where not {{ is_above_high_watermark('changes') }}
        {%- if is_incremental() %} and {{ is_of('affected', 'changes.chat_id') }}{% endif %}
    group by changes.chat_id
),

timed as (
    select
        *,
        {{ seconds_between('opened_at', 'picked_up_at') }} as pickup,
        {{ seconds_between('opened_at', 'response_at') }} as first_response,
        {{ seconds_between('created_at', 'response_at') }} as response,
        {{ seconds_between('opened_at', 'closed_at') }} as resolution,
        {{ seconds_between('picked_up_at', 'closed_at') }} as handling
    from chats
)

select
    timed.chat_id,
    timed.source,
    timed.conversation_id,
    {{ person_of('timed.agent_id') }} as agent_id,
    agents.name as agent_name,
    {{ person_of('pickup_assignments.agent_id') }} as pickup_agent_id,
    {{ person_of('response_assignments.agent_id') }} as first_response_agent_id,
    timed.department_id,
    departments.name as department_name,
    timed.channel,
    timed.status,
    timed.direction,
    timed.original_direction,
    timed.direction_source,
    timed.is_converted,

    timed.created_at,
    timed.opened_at,
    timed.picked_up_at,
    timed.response_at,
    timed.closed_at,

    timed.created_local_date,
    timed.created_local_hour,
    timed.created_day_of_week,
    timed.created_week_start,
    day_labels.label_es as day_label_es,
    day_labels.label_en as day_label_en,
    lpad(timed.created_local_hour::text, 2, '0') as hour_label,
    {{ label_columns('status', 'timed.status', 'statuses') }},
    {{ label_columns('channel', 'timed.channel', 'channels') }},
    {{ label_columns('direction', 'timed.direction', 'directions') }},
    calendars.calendar,
    coalesce(created_clock.is_open, false) as is_office_hours,

    -- A time that comes out negative is not a time: NULL here, and the flag below says why.
    case when timed.pickup >= 0 then timed.pickup end as pickup_seconds,
    case when timed.first_response >= 0 then timed.first_response end as first_response_seconds,
    case when timed.response >= 0 then timed.response end as response_seconds,
    case when timed.resolution >= 0 then timed.resolution end as resolution_seconds,
    case when timed.handling >= 0 then timed.handling end as handling_seconds,
    {{ business_seconds('opened_clock', 'timed.opened_at', 'picked_up_clock', 'timed.picked_up_at') }}
        as pickup_business_seconds,
    {{ business_seconds('opened_clock', 'timed.opened_at', 'response_clock', 'timed.response_at') }}
        as first_response_business_seconds,
    {{ business_seconds('created_clock', 'timed.created_at', 'response_clock', 'timed.response_at') }}
        as response_business_seconds,
    {{ business_seconds('opened_clock', 'timed.opened_at', 'closed_clock', 'timed.closed_at') }}
        as resolution_business_seconds,
    {{ business_seconds('picked_up_clock', 'timed.picked_up_at', 'closed_clock', 'timed.closed_at') }}
        as handling_business_seconds,
    message_facts.reply_seconds_sum::double precision / nullif(message_facts.reply_count, 0) as avg_reply_seconds,
    message_facts.reply_from_last_seconds_sum::double precision / nullif(message_facts.reply_count, 0)
        as avg_reply_from_last_seconds,
    message_facts.reply_count,
    message_facts.incoming_message_count,
    message_facts.outgoing_message_count,

    coalesce(timed.pickup < 0, false) as is_pickup_negative,
    coalesce(timed.first_response < 0, false) as is_first_response_negative,
    coalesce(timed.response < 0, false) as is_response_negative,
    coalesce(timed.resolution < 0, false) as is_resolution_negative,
    coalesce(timed.handling < 0, false) as is_handling_negative,
    {{ is_outside_calendar }} as is_outside_calendar,
    nullif(concat_ws(
        ', ',
        case when timed.opened_at < timed.created_at then 'opened_before_created' end,
        case when timed.pickup < 0 then 'picked_up_before_opened' end,
        case when timed.first_response < 0 then 'response_before_opened' end,
        case when timed.response < 0 then 'response_before_created' end,
        case when timed.resolution < 0 then 'closed_before_opened' end,
        case when timed.handling < 0 then 'closed_before_picked_up' end,
        case when {{ is_outside_calendar }} then 'outside_calendar' end
    ), '') as quality_rules,

    timed.is_deleted,
    greatest(
        timed.load_id,
        identity_changes.load_id,
        (
            select max(changes.load_id) from rule_changes as changes
            where {{ change_concerns_chat('changes', 'timed', 'message_facts', 'calendars') }}
        )
    ) as load_id
from timed
inner join {{ ref('int_chat_message_facts') }} as message_facts on message_facts.chat_id = timed.chat_id
inner join {{ ref('int_chat_calendar') }} as calendars on calendars.chat_id = timed.chat_id
{{ join_clock('created_clock', 'calendars.calendar', 'timed.created_at') }}
{{ join_clock('opened_clock', 'calendars.calendar', 'timed.opened_at') }}
{{ join_clock('picked_up_clock', 'calendars.calendar', 'timed.picked_up_at') }}
{{ join_clock('response_clock', 'calendars.calendar', 'timed.response_at') }}
{{ join_clock('closed_clock', 'calendars.calendar', 'timed.closed_at') }}
{{ join_assignment('pickup_assignments', 'timed.chat_id', 'timed.picked_up_at') }}
{{ join_assignment('response_assignments', 'timed.chat_id', 'timed.response_at') }}
left join {{ ref('int_agents') }} as agents on agents.id = timed.agent_id
left join {{ ref('int_departments') }} as departments on departments.id = timed.department_id
left join {{ ref('labels') }} as day_labels
    on day_labels.label_set = 'day_of_week' and day_labels.member = timed.created_day_of_week::text
{{ join_labels('statuses', "'status'", 'timed.status') }}
left join {{ ref('channels') }} as channels on channels.channel = timed.channel
{{ join_labels('directions', "'direction'", 'timed.direction') }}
left join identity_changes on identity_changes.chat_id = timed.chat_id
