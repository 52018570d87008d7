-- The counter of today against the newest one that is at least 35 days old: longer than a monthly report waits. Counters
-- that began anew meanwhile (a reset, a restore, a table made anew) say nothing.
with readings as (
    select
        indexes.schema_name,
        indexes.index_name,
        indexes.taken_on,
        indexes.index_oid,
        indexes.scan_count,
        indexes.scan_count < lag(indexes.scan_count) over by_day
        or indexes.index_oid <> lag(indexes.index_oid) over by_day
        or snapshots.stats_reset_at is distinct from lag(snapshots.stats_reset_at) over by_day
        or snapshots.system_identifier <> lag(snapshots.system_identifier) over by_day as began_anew
    from ops.database_index_snapshots as indexes
    inner join ops.database_snapshots as snapshots on snapshots.taken_on = indexes.taken_on
    window by_day as (partition by indexes.schema_name, indexes.index_name order by indexes.taken_on)
),

comparable as (
    select
        *,
        count(*) filter (where began_anew) over (
            partition by schema_name, index_name order by taken_on desc rows between unbounded preceding and 1 preceding
        ) as beginnings_since
    from readings
),

spans as (
    select
        comparable.schema_name,
        comparable.index_name,
        max(comparable.taken_on) filter (where comparable.taken_on <= audit_day.today - 35) as since,
        (array_agg(comparable.scan_count order by comparable.taken_on desc) filter (
            where comparable.taken_on <= audit_day.today - 35
        ))[1] as first_count,
        (array_agg(comparable.scan_count order by comparable.taken_on desc))[1] as last_count,
        (array_agg(comparable.index_oid order by comparable.taken_on desc))[1] as index_oid
    from comparable
    cross join audit_day
    where comparable.beginnings_since = 0
    group by comparable.schema_name, comparable.index_name
),

trees as (
    select root_oid, sum(bytes) as bytes, sum(scan_count) as scan_count
    from audited_indexes
    where not is_partitioned
    group by root_oid
)

select
    indexes.schema_name,
    indexes.schema_name || '.' || indexes.index_name as object,
    case when trees.bytes >= 1073741824 then 'warning' else 'info' end as severity,
    format('no scan since %s; %s on %s', spans.since, pg_size_pretty(trees.bytes), indexes.table_name) as evidence,
    format(
        E'-- first look at replicas and yearly reports, whose scans are not counted here\ndrop index %s%I.%I;',
        case when indexes.is_partitioned then '' else 'concurrently ' end, indexes.schema_name, indexes.index_name
    ) as fix
from spans
inner join audited_indexes as indexes on indexes.oid = spans.index_oid and indexes.root_oid = indexes.oid
inner join trees on trees.root_oid = indexes.oid
where spans.since is not null
    and spans.last_count = spans.first_count
    and trees.scan_count = spans.last_count
    and trees.bytes >= 10485760
    and not (
        indexes.is_unique or indexes.is_primary or indexes.is_exclusion or indexes.is_replica_identity
        or indexes.is_of_constraint
    )
    and not exists (select from audited_foreign_keys as keys where keys.indexes = array[indexes.oid])
