-- A failure that an archived file followed is over.
select
    'database' as schema_name,
    'archiver' as object,
    'error' as severity,
    format('failed %s times, last on %s', failed_count, last_failed_time::timestamp(0)) as evidence,
    'see the server''s log and archive_command' as fix
from pg_stat_archiver
where (select setting from pg_settings where name = 'archive_mode') <> 'off' and last_failed_time > coalesce(last_archived_time, '-infinity')

union all

select
    'database' as schema_name,
    'archived WAL' as object,
    'error' as severity,
    format('the newest archived WAL is of %s', coalesce(last_archived_time::timestamp(0)::text, 'never')) as evidence,
    'see that backups run' as fix
from pg_stat_archiver
cross join audit_day
where (select setting from pg_settings where name = 'archive_mode') <> 'off'
    and coalesce(last_archived_time, stats_reset) < audit_day.at - interval '26 hours'

union all

-- Those that this program makes.
select
    'database' as schema_name,
    subject as object,
    case subject when 'drill' then 'warning' else 'error' end as severity,
    fault as evidence,
    case subject
        when 'drill' then 'run `b2chat drill`, and switch on the schedule that does'
        else 'run `b2chat backup`, and switch on the schedule that does'
    end as fix
from audited_backups
where fault is not null

union all

select
    'database' as schema_name,
    'backup' as object,
    'not_checked' as severity,
    'no backup is known here: this program made none, or others make them, and the server archives no WAL'
    as evidence,
    null as fix
where (select setting from pg_settings where name = 'archive_mode') = 'off'
    and not exists (select from audited_backups)
