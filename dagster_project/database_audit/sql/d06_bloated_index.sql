-- Estimates are far off on partial and expression indexes and since equal keys are stored once: what is large and grew
-- is measured. Of other than plain b-trees nobody knows how large they should be.
with before as (
    select distinct on (schema_name, index_name) schema_name, index_name, index_oid, bytes, taken_on
    from ops.database_index_snapshots
    cross join audit_day
    where taken_on <= audit_day.today - 14
    order by schema_name, index_name, taken_on desc
),

-- Partitioned ones are kept in snapshots as a whole, so partitions are measured where the tree grew.
candidates as (
    select indexes.*, before.taken_on, before.bytes as bytes_before, before.index_name is not null as is_known
    from audited_indexes as indexes
    inner join audited_indexes as roots on roots.oid = indexes.root_oid
    left join before on before.schema_name = roots.schema_name and before.index_name = roots.index_name
    where indexes.bytes >= 67108864 and indexes.is_valid and not indexes.is_partitioned and indexes.method = 'btree'
),

measured as materialized (
    select candidates.*, 100 - stats.avg_leaf_density as free_percent
    from candidates
    cross join lateral pgstatindex(candidates.oid::regclass) as stats
    where not candidates.has_expression
        and candidates.predicate is null
        and candidates.is_known
        and (
            select sum(trees.bytes) from audited_indexes as trees where trees.root_oid = candidates.root_oid
        ) > candidates.bytes_before
)

select
    schema_name,
    schema_name || '.' || index_name as object,
    'info' as severity,
    format('%s %% free in %s, and it grew since %s', round(free_percent::numeric), pg_size_pretty(bytes), taken_on)
    as evidence,
    format('reindex index concurrently %I.%I;', schema_name, index_name) as fix
from measured
where free_percent >= 40

union all

select
    schema_name,
    schema_name || '.' || index_name as object,
    'not_checked' as severity,
    case
        when is_known then 'partial and expression indexes: nobody knows how large they should be'
        else 'there is no snapshot of it that is 14 days old'
    end as evidence,
    null as fix
from candidates
where has_expression or predicate is not null or not is_known
