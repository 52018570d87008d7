{{ config(post_hook="{{ as_barrier() }}") }}

select
    chats.id as chat_id,
    chats.created_at,
    chats.closed_at,
    chats.provider as channel,
    chats.direction,
    chats.status,
    chats.agent_id,
    agents.name as agent_name,
    chats.department_id,
    departments.name as department_name,
    chats.contact_id,
    contacts.full_name as contact_name,
    contacts.mobile as contact_mobile,
    contacts.phone_number as contact_phone_number,
    contacts.email as contact_email
from {{ ref('chats') }} as chats
left join {{ ref('agents') }} as agents on agents.id = chats.agent_id
left join {{ ref('departments') }} as departments on departments.id = chats.department_id
left join {{ ref('contacts') }} as contacts on contacts.id = chats.contact_id
where not chats.is_deleted
