-- Trees that are cut by time: the newest month must lie two months ahead, and nothing may wait in a default partition,
-- which stands in the way of each new one.
with trees as (
    select
        roots.schema_name,
        roots.table_name,
        roots.oid,
        pg_partitioned_table.partdefid,
        -- Only bounds of a time are read as one.
        max(case when pg_attribute.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) then
            substring(pg_get_expr(pg_class.relpartbound, pg_class.oid) from $$TO \('([^']+)'\)$$)::timestamptz
        end) as made_until,
        bool_or(pg_attribute.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)) as is_by_time
    from audited_tables as roots
    inner join pg_partitioned_table
        on pg_partitioned_table.partrelid = roots.oid
        and pg_partitioned_table.partstrat = 'r'
        and pg_partitioned_table.partnatts = 1
    inner join pg_attribute
        on pg_attribute.attrelid = roots.oid and pg_attribute.attnum = pg_partitioned_table.partattrs[0]
    left join pg_inherits on pg_inherits.inhparent = roots.oid
    left join pg_class on pg_class.oid = pg_inherits.inhrelid
    group by roots.schema_name, roots.table_name, roots.oid, pg_partitioned_table.partdefid
)

select
    trees.schema_name,
    trees.schema_name || '.' || trees.table_name as object,
    'error' as severity,
    format('partitions are made until %s only', coalesce(trees.made_until::date::text, 'never')) as evidence,
    'run the job that makes partitions, and see why it did not: make them two months ahead' as fix
from trees
cross join audit_day
where trees.is_by_time and (trees.made_until is null or trees.made_until < audit_day.at + interval '2 months')

union all

select
    trees.schema_name,
    trees.schema_name || '.' || trees.table_name as object,
    'warning' as severity,
    format('a default partition, %s', trees.partdefid::regclass) as evidence,
    format(
        E'-- after its rows have moved\nalter table %I.%I detach partition %s;', trees.schema_name, trees.table_name,
        trees.partdefid::regclass
    ) as fix
from trees
where trees.partdefid <> 0
