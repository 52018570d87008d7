-- Every conversation of every source. Groups and direct rooms have no customer: nobody waits in them, so they have no times and
-- are in no other mart's counts.
select
    times.conversation_id,
    times.source,
    times.channel,
    times.direction,
    times.status,
    md5(conversations.contact_id) as contact_key,
    times.agent_id,
    times.agent_name,
    times.department_id as team_id,
    times.department_name as team_name,
    case
        when times.source = 'rooms' then clock.handled_by
        when times.picked_up_at is null and times.response_at is null
            then case when outcomes.bot_state is null then 'nobody' else 'robot' end
        when outcomes.bot_state is not null then 'robot_then_human'
        else 'human'
    end as handled_by,
    clock.level,
    coalesce(clock.is_escalated, false) as is_escalated,
    times.created_at,
    times.opened_at,
    times.picked_up_at,
    times.response_at,
    times.closed_at,
    {%- for time in ['pickup', 'first_response', 'response', 'resolution', 'handling'] %}
    times.{{ time }}_seconds,
    times.{{ time }}_business_seconds,
    {%- endfor %}
    times.avg_reply_seconds,
    -- A call has no messages: that is no 0.
    case when times.source <> 'calls' then times.reply_count end as reply_count,
    case when times.source <> 'calls' then times.incoming_message_count end as incoming_message_count,
    case when times.source <> 'calls' then times.outgoing_message_count end as outgoing_message_count,
    times.created_local_date,
    times.created_local_hour,
    times.created_week_start,
    times.is_deleted,
    times.load_id
from {{ ref('chat_response_times') }} as times
inner join {{ ref('int_conversations') }} as conversations on conversations.chat_id = times.chat_id
left join {{ ref('int_chat_outcomes') }} as outcomes on outcomes.chat_id = times.chat_id
left join {{ ref('int_room_clock') }} as clock on clock.chat_id = times.chat_id

union all

{% set local = local_time('rooms.created_at') -%}
select
    {{ source_key('rooms', 'rooms.id') }} as conversation_id,
    'rooms' as source,
    'room' as channel,
    'internal' as direction,
    case when rooms.status in ('closed', 'archived') then 'closed' else 'pending' end as status,
    null::text as contact_key,
    null::text as agent_id,
    null::text as agent_name,
    {{ source_key('rooms', 'rooms.organization_id') }} as team_id,
    organizations.name as team_name,
    null::text as handled_by,
    null::text as level,
    false as is_escalated,
    rooms.created_at,
    null::timestamptz as opened_at,
    null::timestamptz as picked_up_at,
    null::timestamptz as response_at,
    case
        when rooms.status in ('closed', 'archived') then coalesce(
            (
                select max(changes.changed_at) from {{ ref('room_state_changes') }} as changes
                where changes.entity_key = 'chat_rooms|' || rooms.id
                    and changes.field = 'status'
                    and changes.old_value = 'active'
                    and changes.new_value <> 'active'
            ),
            rooms.concluded_at
        )
    end as closed_at,
    {%- for time in ['pickup', 'first_response', 'response', 'resolution', 'handling'] %}
    null::integer as {{ time }}_seconds,
    null::integer as {{ time }}_business_seconds,
    {%- endfor %}
    null::double precision as avg_reply_seconds,
    null::integer as reply_count,
    null::integer as incoming_message_count,
    null::integer as outgoing_message_count,
    {{ local }}::date as created_local_date,
    extract(hour from {{ local }})::integer as created_local_hour,
    date_trunc('week', {{ local }})::date as created_week_start,
    rooms.is_deleted,
    rooms.load_id
from {{ ref('rooms') }} as rooms
left join {{ ref('int_departments') }} as organizations
    on organizations.id = {{ source_key('rooms', 'rooms.organization_id') }}
where rooms.room_type in ('group', 'direct')
    and not rooms.is_from_the_future
    and not exists (
        select 1 from {{ ref('int_room_clock') }} as clock
        where clock.chat_id = {{ source_key('rooms', 'rooms.id') }}
    )
