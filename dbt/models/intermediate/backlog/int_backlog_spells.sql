{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    unique_key='chat_id',
    on_schema_change='append_new_columns',
    meta={'touched_by': 'chats', 'touched_key': 'id'},
    indexes=[
        {'columns': ['chat_id', 'state', 'entered_at']},
        {'columns': ['until_hour']},
        {'columns': ['load_id']},
    ],
) }}

with chats as (
    select * from {{ ref('chats') }}
    where {{ load_window('chats') }}
),

-- A chat that its status calls open is open, whatever closed_at says (it was closed before and opened again). One that
-- is closed at a time that is not known can be counted at no time.
open_chats as (
    select
        id as chat_id,
        agent_id,
        department_id,
        provider,
        greatest(opened_at, created_at) as entered_at,
        case when status not in ('open', 'pending') then closed_at end as left_at,
        least(first_picked_up_at, first_response_at) as taken_at
    from chats
    where opened_at is not null
        and created_at is not null
        and not is_deleted
        and (status <> 'closed' or closed_at is not null)
),

states as (
    select
        chat_id,
        'open' as state,
        entered_at,
        left_at
    from open_chats

    union all

    select
        chat_id,
        'waiting_for_pickup' as state,
        entered_at,
        least(taken_at, left_at) as left_at
    from open_chats

    union all

    select
        open_chats.chat_id,
        'waiting_for_answer' as state,
        greatest(turns.first_customer_at, open_chats.entered_at) as entered_at,
        least(turns.replied_at, open_chats.left_at) as left_at
    from open_chats
    inner join {{ ref('int_customer_turns') }} as turns on turns.chat_id = open_chats.chat_id
    where turns.first_customer_at is not null
),

-- Most waits are over before anyone looks; only of open chats are those counted that came and went between two looks.
spells as (
    select
        states.chat_id,
        states.state,
        states.entered_at,
        states.left_at,
        {{ first_hour_at_or_after('states.entered_at') }} as from_hour,
        coalesce({{ first_hour_at_or_after('states.left_at') }}, 'infinity') as until_hour,
        open_chats.agent_id,
        open_chats.department_id,
        open_chats.provider
    from states
    inner join open_chats on open_chats.chat_id = states.chat_id
    where (states.left_at > states.entered_at or states.left_at is null)
        and (
            states.state = 'open'
            or states.left_at is null
            or {{ first_hour_at_or_after('states.left_at') }} > {{ first_hour_at_or_after('states.entered_at') }}
        )
)

{%- if is_incremental() %},

-- What the chat told before and tells no more, and what it tells now and did not before.
differences as (
    select
        versions.chat_id,
        moment.happened_at
    from (
        select chat_id, state, entered_at, left_at, agent_id, department_id, provider, 1 as version from spells
        union all
        select chat_id, state, entered_at, left_at, agent_id, department_id, provider, -1 as version from {{ this }}
        where chat_id in (select id from chats)
    ) as versions
    cross join lateral (
        values (versions.entered_at, true), (versions.left_at, false)
    ) as moment (happened_at, is_entry)
    where moment.happened_at is not null
    group by
        versions.chat_id, versions.state, versions.agent_id, versions.department_id, versions.provider,
        moment.happened_at, moment.is_entry
    having sum(versions.version) <> 0
),

changes as (
    select
        chat_id,
        min(happened_at) as changed_from
    from differences
    group by chat_id
)
{%- endif %}

select
    chats.id as chat_id,
    spells.state,
    spells.entered_at,
    spells.left_at,
    spells.from_hour,
    spells.until_hour,
    spells.agent_id,
    spells.department_id,
    spells.provider,
    {% if is_incremental() %}changes.changed_from{% else %}spells.entered_at as changed_from{% endif %},
    chats.load_id
from chats
left join spells on spells.chat_id = chats.id
{%- if is_incremental() %}
left join changes on changes.chat_id = chats.id
{%- endif %}
