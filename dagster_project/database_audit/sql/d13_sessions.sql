-- Whoever waits for an advisory lock does so on purpose.
select
    'database' as schema_name,
    format('idle in transaction: %s of %s', sessions.application_name, sessions.usename) as object,
    'warning' as severity,
    format('since %s seconds', round(extract(epoch from max(audit_day.at - sessions.state_change)))) as evidence,
    'end the transaction where it is begun; set idle_in_transaction_session_timeout' as fix
from pg_stat_activity as sessions
cross join audit_day
where sessions.state like 'idle in transaction%'
    and sessions.pid <> pg_backend_pid()
    and sessions.datname = current_database()
    and audit_day.at - sessions.state_change > interval '1 minute'
group by sessions.application_name, sessions.usename

union all

select
    'database' as schema_name,
    format('blocked: %s of %s', sessions.application_name, sessions.usename) as object,
    'warning' as severity,
    format(
        'waits for %s, held by %s', string_agg(distinct coalesce(pg_locks.relation::regclass::text, pg_locks.locktype), ', '),
        (
            select string_agg(distinct format('%s of %s', blockers.application_name, blockers.usename), ', ')
            from pg_stat_activity as blockers
            where blockers.pid = any(pg_blocking_pids(min(sessions.pid)))
        )
    ) as evidence,
    'let what holds the lock end: pg_cancel_backend(pid), by pg_blocking_pids' as fix
from pg_locks
inner join pg_stat_activity as sessions on sessions.pid = pg_locks.pid
cross join audit_day
where not pg_locks.granted
    and pg_locks.locktype <> 'advisory'
    and sessions.datname = current_database()
    and audit_day.at - pg_locks.waitstart > interval '60 seconds'
group by sessions.application_name, sessions.usename
