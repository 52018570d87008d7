{{ config(
    unique_key='id',
    indexes=[
        {'columns': ['chat_id']},
        {'columns': ['parent_room_id']},
        {'columns': ['creator_id']},
        {'columns': ['created_local_date']},
        {'columns': ['load_id']},
    ],
) }}

with recursive changed as (
    select id from {{ ref('stg_rooms__chat_rooms') }} as rooms
    where {{ load_window('rooms') }}

    union

    select room_id as id from {{ ref('stg_rooms__conversation_conclusions') }} as conclusions
    where {{ load_window('conclusions') }}
),

-- With all that is below them: a room that moves, or comes after those below it, takes them to another root.
affected as (
    select id from changed
    {%- if is_incremental() %}

    union

    select below.id
    from {{ this }} as below
    inner join affected on affected.id = below.parent_room_id
    {%- endif %}
),

landed as (
    select
        rooms.*,
        conclusions.concluded_at,
        conclusions.concluded_by_user_id,
        conclusions.outcome,
        conclusions.is_confirmed_by_customer,
        greatest(rooms.load_id, conclusions.load_id) as own_load_id
    from {{ ref('stg_rooms__chat_rooms') }} as rooms
    left join {{ ref('stg_rooms__conversation_conclusions') }} as conclusions
        on conclusions.room_id = rooms.id and conclusions.removed_at is null
    where rooms.id in (select id from affected)
),

-- Up from each room that has a parent, a step a row: parents are few, and looked up by their key.
climbed as (
    select
        id as room_id,
        parent_room_id as ancestor_id,
        1 as depth,
        array[id] as passed_ids
    from landed
    where parent_room_id is not null

    union all

    select
        climbed.room_id,
        parents.parent_room_id as ancestor_id,
        climbed.depth + 1 as depth,
        climbed.passed_ids || parents.id as passed_ids
    from climbed
    inner join {{ ref('stg_rooms__chat_rooms') }} as parents on parents.id = climbed.ancestor_id
    where parents.parent_room_id is not null
        and climbed.ancestor_id <> all(climbed.passed_ids)
        and climbed.depth <= 10
),

tops as (
    select distinct on (room_id)
        room_id,
        ancestor_id,
        depth > 10 or ancestor_id = any(passed_ids) as is_endless
    from climbed
    order by room_id, depth desc
),

-- The load that brought a room above brought the root of those below, too.
above as (
    select
        climbed.room_id,
        max(ancestors.load_id) as load_id
    from climbed
    inner join {{ ref('stg_rooms__chat_rooms') }} as ancestors on ancestors.id = climbed.ancestor_id
    group by climbed.room_id
),

rooted as (
    select
        landed.*,
        greatest(landed.own_load_id, above.load_id) as newest_load_id,
        case when tops.is_endless is false then tops.ancestor_id else landed.id end as root_room_id,
        coalesce(tops.is_endless, false) as is_endless,
        {{ is_from_the_future('landed.created_at', 'landed') }} as is_from_the_future
    from landed
    left join tops on tops.room_id = landed.id
    left join above on above.room_id = landed.id
)

select
    id,
    {{ source_key('rooms', 'root_room_id') }} as chat_id,
    root_room_id,
    parent_room_id,
    organization_id,
    creator_id,
    name,
    description,
    room_type,
    status,
    issue_id,
    issue_description,
    is_private,
    guest_access_allowed,
    max_participants,
    escalation_level,
    room_settings,
    created_at,
    updated_at,
    {{ row_state('rooted') }},
    concluded_at,
    concluded_by_user_id,
    outcome,
    is_confirmed_by_customer,

    {{ level_name('escalation_level') }} as level,
    is_from_the_future,
    {{ local_time('coalesce(created_at, loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_value': has_unknown_value({'room_type': 'room_type', 'status': 'room_status'}),
        'parent_cycle': 'is_endless',
        'from_the_future': 'is_from_the_future',
    }) }} as quality_rules,
    newest_load_id as load_id
from rooted
