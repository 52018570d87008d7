{{ config(
    materialized='incremental',
    unique_key=['subject', 'day'],
    tags=['rooms'],
    indexes=[{'columns': ['day', 'subject', 'rule'], 'unique': true}],
) }}

{#- What is checked: its table, what is joined to find it, and the rules; true: the table itself says so (quality_rules). -#}
{%- set subjects = {
    'rooms': ('rooms', '', {
        'unknown_value': true, 'parent_cycle': true, 'from_the_future': true,
        'closed_without_a_change': "checked.status in ('closed', 'archived') and checked.concluded_at is null and not exists ("
            ~ "select 1 from " ~ ref('room_state_changes') ~ " as changes where changes.entity_key = 'chat_rooms|' || checked.id "
            ~ "and changes.field = 'status' and changes.old_value = 'active')",
    }),
    'room messages': ('room_messages',
        "left join " ~ ref('rooms') ~ " as rooms on rooms.id = checked.room_id "
        ~ "left join " ~ ref('room_users') ~ " as users on users.id = checked.sender_id "
        ~ "left join " ~ ref('room_messages') ~ " as targets on targets.id = checked.reply_to_message_id", {
        'unknown_value': true, 'message_id_twice': true, 'from_the_future': true,
        'message_without_room': 'rooms.id is null',
        'message_without_sender': 'users.id is null',
        'reply_to_missing': 'checked.reply_to_message_id is not null and targets.id is null',
    }),
    'room participants': ('room_participants', '', {'unknown_value': true, 'left_before_joined': true}),
    'room users': ('room_users', '', {'unknown_value': true}),
    'robot interactions': ('robot_interactions', '', {'unknown_value': true, 'completed_before_started': true}),
    'escalations': ('escalations', "left join " ~ ref('rooms') ~ " as targets on targets.id = checked.target_room_id", {
        'unknown_value': true, 'resolved_before_created': true, 'resolved_without_time': true, 'from_the_future': true,
        'level_mismatch': 'targets.level <> checked.to_level',
    }),
} %}

with affected as (
    {%- for subject, (relation, joins, rules) in subjects.items() %}
    select
        '{{ subject }}' as subject,
        created_local_date as day
    from {{ ref(relation) }} as changed
    where {{ load_window('changed') }}
    {%- if not loop.last %}

    union distinct
    {% endif %}
    {%- endfor %}
),

checked as (
    {%- for subject, (relation, joins, rules) in subjects.items() %}
    select
        '{{ subject }}' as subject,
        checked.created_local_date as day,
        {{ "checked.room_id || '|' || checked.user_id" if relation == 'room_participants' else 'checked.id' }} as id,
        array_remove(array[
            {%- for rule, condition in rules.items() %}
            {%- if condition is sameas true %}
            case when checked.quality_rules like '%{{ rule }}%' then '{{ rule }}' end
            {%- else %}
            case when {{ condition }} then '{{ rule }}' end
            {%- endif %}{{ ',' if not loop.last }}
            {%- endfor %}
        ], null) as broken_rules
    from {{ ref(relation) }} as checked
    {{ joins }}
    where not checked.is_deleted
        and checked.created_local_date = any(array(select day from affected where subject = '{{ subject }}'))
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

days as (
    select
        subject,
        day,
        count(*) as checked_count
    from checked
    group by subject, day
),

counted as (
    select
        checked.subject,
        checked.day,
        broken.rule,
        count(*) as broken_count,
        (array_agg(checked.id order by checked.id))[:5] as samples
    from checked
    cross join lateral unnest(checked.broken_rules) as broken (rule)
    group by checked.subject, checked.day, broken.rule
),

rules (subject, rule) as (
    values
    {%- for subject, (relation, joins, rules) in subjects.items() %}{% set last_subject = loop.last %}
    {%- for rule in rules %}
    ('{{ subject }}', '{{ rule }}'){{ ',' if not (last_subject and loop.last) }}
    {%- endfor %}
    {%- endfor %}
)

select
    days.subject,
    days.day,
    rules.rule,
    coalesce(counted.broken_count, 0)::integer as broken_count,
    days.checked_count::integer as checked_count,
    array_to_string(counted.samples, ', ') as sample_ids
from days
inner join rules on rules.subject = days.subject
left join counted
    on counted.subject = days.subject
    and counted.day = days.day
    and counted.rule = rules.rule
