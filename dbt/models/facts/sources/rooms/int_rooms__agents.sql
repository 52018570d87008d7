{{ config(
    materialized='incremental',
    unique_key='id',
    indexes=[{'columns': ['id'], 'unique': true}, {'columns': ['load_id']}],
) }}

{%- set id = source_key('rooms', 'users.id') %}

with acting as (
    select
        agent_id as id,
        max(load_id) as load_id
    from {{ ref('int_rooms__agent_assignments') }} as assignments
    where {{ load_window('assignments') }}
    group by agent_id
),

named as (
    select
        {{ id }} as id,
        users.name,
        users.load_id
    from {{ ref('room_users') }} as users
    where {{ load_window('users') }}

    union all

    select
        acting.id,
        users.name,
        acting.load_id
    from acting
    left join {{ ref('room_users') }} as users on users.id = substr(acting.id, length({{ source_key('rooms', "''") }}) + 1)
)

select
    named.id,
    coalesce(max(named.name), named.id) as name,
    max(named.load_id) as load_id
from named
{%- if is_incremental() %}
left join {{ this }} as known on known.id = named.id
-- Who is online, and since when, is no news of an agent: their chats would be made anew by it.
where known.name is distinct from coalesce(named.name, named.id)
    and (known.id is not null or named.id in (select id from acting))
{%- else %}
where named.id in (select id from acting)
{%- endif %}
group by named.id
