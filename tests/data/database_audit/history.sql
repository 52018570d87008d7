-- The snapshot of today is there: the days before it are copies of it with other counters.

insert into ops.database_snapshots
select today.taken_on - back, today.taken_at - back * interval '1 day', system_identifier,
    stats_reset_at, statements_reset_at, statement_eviction_count, block_read_count - 500000 * back,
    block_hit_count - 600000 * back
from ops.database_snapshots as today cross join generate_series(1, 45) as back;

insert into ops.database_table_snapshots
select taken_on - back, schema_name, table_name,
    case when table_name = 'made_anew' then 1 else table_oid end, kept_days,
    case table_name when 'soon_large' then 9900000 - 60000 * back when 'late_large' then 5000 * (100 - back)
        else row_count end,
    heap_bytes, index_bytes, toast_bytes, seq_scan_count - back,
    seq_tuple_count - back::bigint * case
        when table_name in ('scanned', 'scanned_by_app', 'scanned_by_build', 'made_anew') then 20000000
        when table_name = 'read_once' then 400000 when table_name = 'often_read' then 4800000 when table_name = 'small' then 90000000 else 0 end,
    inserted_count, deleted_count
from ops.database_table_snapshots cross join generate_series(1, 45) as back;

update ops.database_table_snapshots
set row_count = case table_name when 'soon_large' then 9900000 when 'late_large' then 500000 when 'small' then 9999 when 'often_read' then 12000
    when 'read_once' then 200000 else 100000 end
where taken_on = (select max(taken_on) from ops.database_snapshots)
    and table_name in ('soon_large', 'late_large', 'small', 'often_read', 'read_once', 'scanned', 'scanned_by_app',
        'scanned_by_build', 'made_anew');

insert into ops.database_index_snapshots
select taken_on - back, schema_name, index_name,
    case when index_name = 'wide_anew' and back > 10 then 1 else index_oid end, table_name, bytes,
    scan_count - case when index_name = 'wide_monthly' and back > 34 then 1 else 0 end
        + case when index_name = 'wide_reset' and back > 10 then 5 else 0 end
from ops.database_index_snapshots cross join generate_series(1, 45) as back
where not (index_name = 'wide_young' and back > 20);

delete from ops.database_statement_snapshots;
insert into ops.database_statement_snapshots
select max(taken_on) - back, user_name, query_id, true, user_name = 'owner', statement,
    call_count * (1 - back), row_count * (1 - back), seconds * (1 - back)
from ops.database_snapshots cross join (values (0), (1)) as days (back)
cross join (values
    ('app', 1, 'select slow from t where a = ?', 100, 100, 2.0),
    ('app', 2, 'select seldom from t where a = ?', 99, 99, 90.0),
    ('app', 3, 'select one from t where id = ?', 1500000, 1500000, 3.0),
    ('app', 4, 'select many from t where id = ?', 1500000, 15000000, 3.0),
    ('app', 5, 'select by_app from depot.scanned_by_app where a = ?', 200, 200, 20.0),
    ('owner', 6, 'insert into heavy select ?', 10, 10, 400.0),
    ('owner', 7, 'select rare from t', 2, 2, 4.0),
    ('owner', 0, null, 10, 0, 200.0)
) as statements (user_name, query_id, statement, call_count, row_count, seconds)
group by back, user_name, query_id, statement, call_count, row_count, seconds
