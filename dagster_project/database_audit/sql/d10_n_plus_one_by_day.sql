-- More than a thousand calls for each minute of the day: there was a minute with a thousand.
select
    'database' as schema_name,
    format('%s: %s', statements.user_name, left(statements.statement, 100)) as object,
    'info' as severity,
    format('%s calls on %s for %s rows: %s', statements.call_count, statements.day, statements.row_count,
        statements.statement) as evidence,
    'ask for all rows at once, by join or by `= any($1)`' as fix
from marts.slow_statements_daily as statements
cross join audit_day
where statements.day > audit_day.today - 3
    and statements.day <= audit_day.today
    and statements.row_count <= statements.call_count
    and statements.call_count >= 1000 * statements.elapsed_seconds / 60
    and statements.call_count >= 1000
    and statements.statement ~* '^\s*select'
