-- A view over the chats of its periods: who reads one period of one scope pays for that. Each thing counts on its own day:
-- a bot on that of the creation, a survey on that of the closing, a broadcast on that on which it was sent.
{%- set offered = 'survey_completed_count + survey_abandoned_count + survey_lapsed_count + survey_answering_count' %}
{%- set with_bot = 'bot_handed_over_count + bot_contained_count + bot_lost_in_queue_count + bot_with_bot_count' %}

with counted as (
    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        chats.direction,
        count(*) filter (where days.is_created)::integer as chat_count,
        count(*) filter (where days.is_created and chats.is_converted)::integer as converted_chat_count,
        count(*) filter (where days.is_created and chats.response_at is not null)::integer as answered_chat_count,
        count(*) filter (where days.is_closed)::integer as closed_chat_count,
        sum(days.reopened_count)::integer as reopened_count,
        sum(days.agent_transfer_count)::integer as agent_transfer_count,
        sum(days.department_transfer_count)::integer as department_transfer_count,
        {%- for state in ['completed', 'abandoned', 'lapsed', 'answering'] %}
        count(*) filter (where days.is_closed and outcomes.survey_state = '{{ state }}')::integer as survey_{{ state }}_count,
        {%- endfor %}
        {%- for state in ['handed_over', 'contained', 'lost_in_queue', 'with_bot'] %}
        count(*) filter (where days.is_created and outcomes.bot_state = '{{ state }}')::integer as bot_{{ state }}_count,
        {%- endfor %}
        count(*) filter (where days.is_broadcast)::integer as broadcast_count,
        count(*) filter (where days.is_broadcast and outcomes.broadcast_answer_seconds is not null)::integer
            as broadcast_answered_count,
        count(*) filter (where contacts.has_waited)::integer as first_contact_judged_count,
        count(*) filter (where contacts.has_waited and contacts.is_resolved)::integer as first_contact_resolved_count
    from {{ ref('int_periods') }} as periods
    inner join {{ ref('int_chat_day_facts') }} as days
        on days.local_date between periods.period_start and periods.period_end and not days.is_left
    inner join {{ ref('chat_response_times') }} as chats on chats.chat_id = days.chat_id
    left join {{ ref('int_chat_outcomes') }} as outcomes on outcomes.chat_id = days.chat_id
    left join {{ ref('int_contact_outcomes') }} as contacts on contacts.chat_id = days.chat_id and days.is_closed
    cross join lateral ({{ scopes('chats') }}) as scopes (scope, scope_id)
    where not chats.is_deleted and scopes.scope_id is not null
    group by periods.period, periods.period_start, scopes.scope, scopes.scope_id, chats.direction
)

select
    period,
    period_start,
    scope,
    scope_id,
    direction,
    chat_count,
    converted_chat_count,
    answered_chat_count,
    chat_count - answered_chat_count as unanswered_chat_count,
    closed_chat_count,
    reopened_count,
    agent_transfer_count,
    department_transfer_count,
    {{ offered }} as survey_offered_count,
    survey_answering_count,
    survey_completed_count,
    survey_completed_count::double precision / nullif({{ offered }} - survey_answering_count, 0) as survey_response_rate,
    {{ with_bot }} as bot_chat_count,
    bot_with_bot_count,
    bot_contained_count,
    bot_contained_count::double precision / nullif({{ with_bot }} - bot_with_bot_count, 0) as bot_containment_rate,
    broadcast_count,
    broadcast_answered_count,
    first_contact_judged_count,
    first_contact_resolved_count,
    first_contact_resolved_count::double precision / nullif(first_contact_judged_count, 0)
        as first_contact_resolution_rate
from counted
