select
    'database' as schema_name,
    'connections' as object,
    'warning' as severity,
    format('%s of %s are in use', sum(numbackends), current_setting('max_connections')) as evidence,
    'fewer clients at once, a pool before the server, or a higher max_connections' as fix
from pg_stat_database
having sum(numbackends) >= 0.8 * current_setting('max_connections')::integer
