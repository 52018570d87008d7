select
    'database' as schema_name,
    format('%s: %s', statements.user_name, left(statements.statement, 100)) as object,
    'info' as severity,
    format(
        '%s calls on %s, %s ms each, %s %% of the day''s time%s: %s', statements.call_count, statements.day,
        round(statements.mean_call_seconds::numeric * 1000, 1), round(statements.time_share::numeric * 100, 1),
        case when statements.is_incomplete then ', incomplete' else '' end, statements.statement
    ) as evidence,
    'explain (analyze, buffers) it with values of yours' as fix
from marts.slow_statements_daily as statements
cross join audit_day
where statements.is_slow
    and statements.day = (select max(days.day) from marts.slow_statements_daily as days where days.day <= audit_day.today)
    and statements.day > audit_day.today - 3
