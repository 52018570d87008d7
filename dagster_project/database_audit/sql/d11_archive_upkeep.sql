-- Archives that stand still: whoever was to go on with them did not. Logs of ours leave row by row, so their months may
-- stay for one row.
select
    split_part(archives.table_name, '.', 1) as schema_name,
    archives.table_name || to_char(archives.month, ' YYYY-MM') as object,
    'warning' as severity,
    format('%s since %s', archives.state, coalesce(archives.detached_at, archives.planned_at)::date) as evidence,
    case archives.state
        when 'detached' then 'its days of grace are over: run the job that archives, which drops it'
        else 'run the job that archives, which goes on where it stopped, and see why it did'
    end as fix
from ops.archives
inner join audited_schemas on audited_schemas.schema_name = split_part(archives.table_name, '.', 1)
cross join audit_day
where (
    archives.state = 'detached' and archives.detached_at < audit_day.at - interval '8 days'
)
or (
    archives.state in ('planned', 'exported', 'verified') and archives.planned_at < audit_day.at - interval '7 days'
)

union all

select
    kept.schema_name,
    kept.schema_name || '.' || kept.table_name as object,
    'warning' as severity,
    format('%s months are due for more than a week, the oldest %s', count(*), min(parts.table_name)) as evidence,
    'run the job that archives, and see why it did not' as fix
from audited_retention as kept
inner join audited_tables as roots
    on roots.schema_name = kept.schema_name and roots.table_name = kept.table_name and roots.is_partitioned
inner join audited_tables as parts on parts.root_oid = roots.oid and not parts.is_partitioned
inner join pg_class on pg_class.oid = parts.oid
cross join audit_day
where kept.schema_name <> 'ops'
    and parts.row_count is distinct from 0
    and substring(pg_get_expr(pg_class.relpartbound, pg_class.oid) from $$TO \('([^']+)'\)$$)::timestamptz
    < audit_day.at - (kept.kept_days + 8) * interval '1 day'
    and not exists (
        select
        from ops.archives
        where archives.table_name = kept.schema_name || '.' || kept.table_name
            and to_char(archives.month, 'YYYY_MM') = substring(parts.table_name from '\d{4}_\d\d')
            and (
                archives.state in ('planned', 'exported', 'verified')
                or archives.restored_at > audit_day.at - interval '38 days'
            )
    )
group by kept.schema_name, kept.table_name
