{{ config(
    unique_key='id',
    indexes=[
        {'columns': ['b2chat_id'], 'unique': true},
        {'columns': ['username'], 'unique': true},
        {'columns': ['department_id']},
        {'columns': ['is_active']},
        {'columns': ['is_deleted']},
        {'columns': ['load_id']},
    ],
) }}

-- depends_on: {{ ref('chats') }}, so that no chat is ever ahead of its agent, department or contact.

with named as (
    select distinct on (agent_id)
        agent_id,
        agent_name as name,
        agent_email as email,
        agent_username as username,
        load_id,
        loaded_at
    from {{ ref('stg_b2chat__chats') }}
    where agent_id is not null and {{ load_window('stg_b2chat__chats') }}
    order by agent_id, load_id desc, created_at desc nulls last, chat_id
)

select
    named.agent_id as id,
    named.agent_id as b2chat_id,
    named.name,
    named.email,
    named.username,
    null::text as department_id,
    true as is_active,
    false as is_deleted,
    null::timestamptz as deleted_at,
    null::text as deletion_reason,
    named.loaded_at as last_sync_at,
    {% if is_incremental() %}coalesce(known.created_at, named.loaded_at){% else %}named.loaded_at{% endif %} as created_at,
    named.loaded_at as updated_at,

    named.load_id
from named
{% if is_incremental() -%}
left join {{ this }} as known on known.id = named.agent_id
where known.id is null
    or (known.name, known.email, known.username) is distinct from (named.name, named.email, named.username)
{%- endif %}
