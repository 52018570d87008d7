-- audit_sample: what was called while the audit watched.
select
    'database' as schema_name,
    format('%s: %s', user_name, left(statement, 100)) as object,
    'info' as severity,
    format('%s calls in %s seconds for %s rows: %s', call_count, round(elapsed_seconds), row_count, statement)
    as evidence,
    'ask for all rows at once, by join or by `= any($1)`' as fix
from audit_sample
where row_count <= call_count
    and call_count >= 1000 * elapsed_seconds / 60
    and call_count >= 1000
    and statement ~* '^\s*select'
