-- In `(select current_setting(…))` it is asked once, not for each row.
select
    audited_tables.schema_name,
    audited_tables.schema_name || '.' || audited_tables.table_name || '.' || pg_policy.polname as object,
    'info' as severity,
    'the policy asks current_setting for each row' as evidence,
    'write (select current_setting(…)) in the policy' as fix
from pg_policy
inner join audited_tables on audited_tables.oid = pg_policy.polrelid
cross join lateral concat_ws(
    ' ', pg_get_expr(pg_policy.polqual, pg_policy.polrelid), pg_get_expr(pg_policy.polwithcheck, pg_policy.polrelid)
) as condition
where regexp_replace(condition, 'SELECT\s+\(*current_setting\(', '', 'gi') ~* 'current_setting\('
