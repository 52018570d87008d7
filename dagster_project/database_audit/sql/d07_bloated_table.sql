-- The counters only choose: they are estimates, and what they name is measured.
with measured as materialized (
    select audited_tables.*, stats.dead_tuple_percent, stats.dead_tuple_len
    from audited_tables
    cross join lateral pgstattuple_approx(audited_tables.oid::regclass) as stats
    where audited_tables.heap_bytes >= 67108864
        and not audited_tables.is_partitioned
        and audited_tables.dead_count > 0.1 * (audited_tables.live_count + audited_tables.dead_count)
)

select
    schema_name,
    schema_name || '.' || table_name as object,
    'warning' as severity,
    format(
        '%s %% dead rows, %s; last vacuum %s', round(dead_tuple_percent::numeric), pg_size_pretty(dead_tuple_len),
        coalesce(vacuumed_at::date::text, 'never')
    ) as evidence,
    format('vacuum (analyze) %I.%I;', schema_name, table_name) as fix
from measured
where dead_tuple_percent > 20 and dead_tuple_len > 67108864
