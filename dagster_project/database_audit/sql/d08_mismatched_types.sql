-- Types that Postgres must convert to compare; varchar and text, or a domain and what it is of, are one to it.
with columns as (
    select
        keys.schema_name,
        keys.table_name,
        keys.constraint_name,
        own.attname,
        coalesce(nullif(own_type.typbasetype, 0), own.atttypid) as own_type,
        coalesce(nullif(other_type.typbasetype, 0), other.atttypid) as other_type
    from audited_foreign_keys as keys
    cross join lateral unnest(keys.column_numbers, keys.referenced_numbers) as pair (own_number, other_number)
    inner join pg_attribute as own on own.attrelid = keys.table_oid and own.attnum = pair.own_number
    inner join pg_attribute as other on other.attrelid = keys.referenced_oid and other.attnum = pair.other_number
    inner join pg_type as own_type on own_type.oid = own.atttypid
    inner join pg_type as other_type on other_type.oid = other.atttypid
)

select
    schema_name,
    schema_name || '.' || table_name || '.' || constraint_name as object,
    'warning' as severity,
    format('%s is %s, what it refers to %s', attname, format_type(own_type, null), format_type(other_type, null))
    as evidence,
    format('alter table %I.%I alter %I type %s;', schema_name, table_name, attname, format_type(other_type, null)) as fix
from columns
where own_type <> other_type
    and not exists (
        select from pg_cast
        where castmethod = 'b' and castsource = least(own_type, other_type) and casttarget = greatest(own_type, other_type)
    )
    and not exists (
        select from pg_cast
        where castmethod = 'b' and castsource = greatest(own_type, other_type) and casttarget = least(own_type, other_type)
    )
