{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    unique_key='chat_id',
    on_schema_change='append_new_columns',
    meta={'touched_by': 'chats', 'touched_key': 'id'},
    indexes=[
        {'columns': ['chat_id']},
        {'columns': ['tstzrange(held_from, held_to)'], 'type': 'gist'},
        {'columns': ['load_id']},
        {'columns': ['superseded_by_load_id']},
    ],
) }}

{%- set key = 'chat_id, agent_id, department_id, held_from, held_to' %}

-- A hold that a new load shows otherwise stays as it was, with that load: so the days that it lay on are counted anew,
-- however much later, and a chat that stays open touches no day but those on which something changed.
with chats as (
    select * from {{ ref('chats') }} as chats
    where {{ load_window('chats') }}
),

history as (
    select * from {{ ref('chat_status_history') }}
    where field = 'status' and chat_id in (select id from chats where not is_deleted)
),

-- Nobody holds a chat between its closing and its being open again.
closings as (
    select
        chat_id,
        is_reopening,
        coalesce(event_at, date_trunc('second', observed_at)) as happened_at,
        date_trunc('second', observed_at) as observed_at,
        lag(event_at) over (partition by chat_id order by version) as closed_at
    from history
),

pauses as (
    select
        chat_id,
        range_agg(tstzrange(closed_at, case when happened_at > closed_at then happened_at else observed_at end)) as pauses
    from closings
    where is_reopening and closed_at < observed_at
    group by chat_id
),

holds as (
    select
        chats.id as chat_id,
        assignments.agent_id,
        chats.department_id,
        tstzmultirange(tstzrange(
            greatest(milestones.human_from, assignments.assigned_from), least(chats.closed_at, assignments.assigned_to)
        )) - coalesce(pauses.pauses, '{}') as spans
    from chats
    inner join {{ ref('int_chat_milestones') }} as milestones on milestones.chat_id = chats.id
    inner join {{ ref('int_agent_assignments') }} as assignments on assignments.chat_id = chats.id
    left join pauses on pauses.chat_id = chats.id
    where not chats.is_deleted
        and milestones.human_from is not null
        and greatest(milestones.human_from, assignments.assigned_from)
            < least(chats.closed_at, assignments.assigned_to)
),

-- LEAST skipped the null of a chat that is not closed: it is held without end.
held as (
    select
        holds.chat_id,
        holds.agent_id,
        holds.department_id,
        lower(span) as held_from,
        nullif(upper(span), 'infinity') as held_to
    from holds
    cross join lateral unnest(holds.spans) as span
),

known as (
    {% if is_incremental() -%}
    select * from {{ this }}
    where chat_id in (select id from chats)
    {%- else -%}
    select
        held.*, held_from as changed_from, held_to as changed_to, 0::bigint as load_id,
        null::bigint as superseded_by_load_id, false as is_replaced
    from held
    where false
    {%- endif %}
),

new as (
    select {{ key }} from held
    except
    select {{ key }} from known where superseded_by_load_id is null
),

gone as (
    select {{ key }} from known where superseded_by_load_id is null
    except
    select {{ key }} from held
)

-- Where only the end moved, only the time between the two ends changed.
select
    new.chat_id,
    new.agent_id,
    new.department_id,
    new.held_from,
    new.held_to,
    case when gone.chat_id is null then new.held_from else least(gone.held_to, new.held_to) end as changed_from,
    case when gone.chat_id is null or gone.held_to < 'infinity' then greatest(gone.held_to, new.held_to) end as changed_to,
    chats.load_id,
    null::bigint as superseded_by_load_id,
    false as is_replaced
from new
inner join chats on chats.id = new.chat_id
left join gone
    on gone.chat_id = new.chat_id
    and gone.agent_id = new.agent_id
    and gone.department_id is not distinct from new.department_id
    and gone.held_from = new.held_from

union all

select
    known.chat_id,
    known.agent_id,
    known.department_id,
    known.held_from,
    known.held_to,
    known.changed_from,
    known.changed_to,
    known.load_id,
    case when gone.chat_id is null then known.superseded_by_load_id else chats.load_id end as superseded_by_load_id,
    case when gone.chat_id is null then known.is_replaced else new.chat_id is not null end as is_replaced
from known
inner join chats on chats.id = known.chat_id
left join gone
    on known.superseded_by_load_id is null
    and gone.chat_id = known.chat_id
    and gone.agent_id = known.agent_id
    and gone.department_id is not distinct from known.department_id
    and gone.held_from = known.held_from
    and gone.held_to is not distinct from known.held_to
left join new
    on new.chat_id = gone.chat_id
    and new.agent_id = gone.agent_id
    and new.department_id is not distinct from gone.department_id
    and new.held_from = gone.held_from
