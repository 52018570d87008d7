-- A threshold that would be a finding of d12_size_threshold is named two months before.
select
    projection.schema_name,
    projection.schema_name || '.' || projection.table_name as object,
    'info' as severity,
    format('%s rows now, %s on %s', projection.row_count, projection.threshold_row_count, projection.reached_date)
    as evidence,
    case projection.threshold_row_count
        when 10000000 then 'partition it by time before that day' else 'say how long its months are kept'
    end as fix
from marts.database_projection as projection
inner join audited_roots as roots
    on roots.schema_name = projection.schema_name and roots.table_name = projection.table_name
cross join audit_day
where projection.state = 'projected'
    and projection.reached_date <= audit_day.today + 60
    and case projection.threshold_row_count
        when 10000000 then not roots.is_partitioned
        when 50000000 then roots.is_partitioned and not exists (
            select from audited_retention as kept
            where kept.schema_name = roots.schema_name and kept.table_name = roots.table_name
        )
        else false
    end
