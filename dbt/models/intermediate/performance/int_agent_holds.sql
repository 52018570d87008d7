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
    where chat_id in (select id from chats where picked_up_at is not null and not is_deleted)
),

pickups as (
    select
        chat_id,
        version,
        event_at as picked_up_at
    from history
    where field = 'status' and new_value = 'PICKED_UP'
),

-- The API does not say when a chat went to another agent: at that one's pick-up, if the same version tells of it, or
-- else when a sync saw it. The first agent seen had it from its pick-up.
takeovers as (
    select
        history.chat_id,
        history.version,
        history.new_value as agent_id,
        case
            when history.version <= min(history.version) filter (where history.new_value is not null)
                over (partition by history.chat_id) then '-infinity'
            else least(pickups.picked_up_at, date_trunc('second', history.observed_at))
        end as taken_at
    from history
    left join pickups on pickups.chat_id = history.chat_id and pickups.version = history.version
    where history.field = 'agent'
),

tenures as (
    select
        chat_id,
        agent_id,
        taken_at,
        lead(taken_at, 1, 'infinity') over (partition by chat_id order by version) as taken_away_at
    from takeovers
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
    where field = 'status'
),

pauses as (
    select
        chat_id,
        range_agg(tstzrange(closed_at, case when happened_at > closed_at then happened_at else observed_at end)) as pauses
    from closings
    where is_reopening and closed_at < observed_at
    group by chat_id
),

first_pickups as (
    select
        chat_id,
        min(picked_up_at) as picked_up_at
    from pickups
    group by chat_id
),

holds as (
    select
        chats.id as chat_id,
        tenures.agent_id,
        chats.department_id,
        tstzmultirange(tstzrange(
            greatest(least(chats.picked_up_at, first_pickups.picked_up_at), tenures.taken_at),
            least(chats.closed_at, tenures.taken_away_at)
        )) - coalesce(pauses.pauses, '{}') as spans
    from chats
    inner join tenures on tenures.chat_id = chats.id
    left join first_pickups on first_pickups.chat_id = chats.id
    left join pauses on pauses.chat_id = chats.id
    where tenures.agent_id is not null
        and greatest(least(chats.picked_up_at, first_pickups.picked_up_at), tenures.taken_at)
            < least(chats.closed_at, tenures.taken_away_at)
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
