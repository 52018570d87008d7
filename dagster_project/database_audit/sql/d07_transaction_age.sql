-- At 2 billion Postgres stops writing; autovacuum should have come at 200 million.
select
    schema_name,
    schema_name || '.' || table_name as object,
    case when transaction_age > 1000000000 then 'error' else 'warning' end as severity,
    format('its oldest transaction is %s back; last vacuum %s', transaction_age, coalesce(vacuumed_at::date::text, 'never'))
    as evidence,
    format('vacuum (freeze) %I.%I;', schema_name, table_name) as fix
from audited_tables
where transaction_age > 500000000 and not is_partitioned
