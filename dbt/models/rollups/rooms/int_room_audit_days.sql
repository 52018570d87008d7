{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_room_days'},
    indexes=[{'columns': ['local_date', 'table_name', 'operation'], 'unique': true}],
) }}

-- depends_on: {{ ref('int_affected_room_days') }}

with affected_days as (
    select
        local_date,
        local_date::timestamp at time zone '{{ account_timezone() }}' as starts_at,
        (local_date + 1)::timestamp at time zone '{{ account_timezone() }}' as ends_at
    from (
        select distinct local_date
        from {{ ref('int_affected_room_days') }} as affected
        where {{ load_window('affected') }}
    ) as affected
),

changes as (
    select
        affected_days.local_date,
        changes.*
    from affected_days
    inner join {{ ref('room_state_changes') }} as changes
        on changes.changed_at >= affected_days.starts_at and changes.changed_at < affected_days.ends_at
)

-- One change of a row may be of several fields.
select
    changes.local_date,
    changes.entity as table_name,
    changes.operation,
    count(distinct changes.history_id)::integer as change_count,
    count(distinct changes.entity_id)::integer as row_count,
    count(distinct changes.changed_by_user_id)::integer as changer_count,
    count(distinct changes.history_id) filter (where changes.changed_by_user_id is null)::integer as unknown_changer_count,
    -- A text that changed, of a message that was not delivered only later.
    count(distinct changes.history_id) filter (
        where changes.entity = 'messages' and changes.operation = 'UPDATE' and changes.field = 'content'
        and not exists (
            select 1 from {{ ref('room_state_changes') }} as later
            where later.entity_key = changes.entity_key
                and later.field = 'delivery_status'
                and later.new_value = 'delivered'
                and later.changed_at >= changes.changed_at
        )
    )::integer as edited_after_delivery_count
from changes
group by changes.local_date, changes.entity, changes.operation
