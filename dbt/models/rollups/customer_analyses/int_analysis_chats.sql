-- Once for all chats of an analysis, once for each agent and each department.
select
    members.analysis_id,
    scopes.scope,
    scopes.scope_id,
    members.state,
    members.reason,
    {%- for field in label_fields() %}
    categories.{{ field.name }},
    {%- endfor %}
    categories.agent_quality_score,
    chats.chat_id,
    chats.agent_id,
    chats.department_id,
    chats.channel,
    chats.source,
    chats.pickup_agent_id,
    chats.first_response_agent_id,
    {%- for time in ['pickup', 'first_response', 'response', 'resolution', 'handling'] %}
    chats.{{ time }}_seconds,
    {%- endfor %}
    chats.incoming_message_count,
    chats.outgoing_message_count,
    chats.created_local_hour,
    chats.created_day_of_week
from {{ source('analysis', 'analysis_chats') }} as members
inner join {{ ref('chat_response_times') }} as chats on chats.chat_id = members.chat_id and not chats.is_deleted
left join {{ source('analysis', 'customer_categorizations') }} as categories
    on categories.analysis_id = members.analysis_id and categories.chat_id = members.chat_id
cross join lateral (
    values ('all', 'all'), ('agent', chats.agent_id), ('department', chats.department_id)
) as scopes (scope, scope_id)
where scopes.scope_id is not null
