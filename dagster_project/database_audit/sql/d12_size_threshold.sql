select
    schema_name,
    schema_name || '.' || table_name as object,
    'warning' as severity,
    format('%s rows in one table', row_count) as evidence,
    'partition it by time' as fix
from audited_roots
where row_count >= 10000000 and not is_partitioned

union all

select
    roots.schema_name,
    roots.schema_name || '.' || roots.table_name as object,
    'warning' as severity,
    format('%s rows, and nothing archives the old ones', roots.row_count) as evidence,
    'say how long its months are kept' as fix
from audited_roots as roots
where roots.row_count >= 50000000
    and roots.is_partitioned
    and not exists (
        select from audited_retention as kept
        where kept.schema_name = roots.schema_name and kept.table_name = roots.table_name
    )
