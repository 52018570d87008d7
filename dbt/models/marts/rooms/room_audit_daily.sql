-- Reading changes nothing, and is told by a log of its own: what supervisors read.
select
    local_date,
    table_name,
    operation,
    change_count,
    row_count,
    changer_count,
    unknown_changer_count,
    edited_after_delivery_count,
    null::bigint as read_row_count
from {{ ref('int_room_audit_days') }}

union all

select
    reads.local_date,
    'data_access_log' as table_name,
    'READ' as operation,
    count(*)::integer as change_count,
    count(distinct reads.room_id)::integer as row_count,
    count(distinct reads.user_id)::integer as changer_count,
    count(*) filter (where reads.user_id is null)::integer as unknown_changer_count,
    0 as edited_after_delivery_count,
    sum(reads.rows_read)::bigint as read_row_count
from (
    select
        {{ local_time(json_instant("(payload ->> 'at')")) }}::date as local_date,
        payload ->> 'room_id' as room_id,
        payload ->> 'user_id' as user_id,
        {{ json_integer("(payload ->> 'rows_read')") }} as rows_read
    from {{ source('rooms', 'data_access_log') }}
    where deleted_at is null
) as reads
where reads.local_date is not null
group by reads.local_date
