-- Of serial, identity and plain sequences; a column of a smaller type than its sequence ends before it.
with sequences as (
    select
        pg_namespace.nspname::text as schema_name,
        pg_class.relname::text as sequence_name,
        pg_sequences.last_value,
        pg_sequence.seqincrement > 0 as is_ascending,
        least(
            pg_sequence.seqmax,
            case pg_attribute.atttypid when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647 end
        ) as highest,
        pg_sequence.seqmin as lowest,
        pg_attribute.attrelid::regclass as table_name,
        pg_attribute.attname as column_name
    from pg_sequence
    inner join pg_class on pg_class.oid = pg_sequence.seqrelid
    inner join pg_namespace on pg_namespace.oid = pg_class.relnamespace
    inner join audited_schemas on audited_schemas.schema_name = pg_namespace.nspname
    inner join pg_sequences
        on pg_sequences.schemaname = pg_namespace.nspname and pg_sequences.sequencename = pg_class.relname
    left join pg_depend
        on pg_depend.classid = 'pg_class'::regclass
        and pg_depend.objid = pg_class.oid
        and pg_depend.refclassid = 'pg_class'::regclass
        and pg_depend.deptype in ('a', 'i')
    left join pg_attribute
        on pg_attribute.attrelid = pg_depend.refobjid and pg_attribute.attnum = pg_depend.refobjsubid
    where not pg_sequence.seqcycle
)

select
    schema_name,
    schema_name || '.' || sequence_name as object,
    'error' as severity,
    format('%s of %s are used%s', last_value, case when is_ascending then highest else lowest end,
        coalesce(format(', for %s.%s', table_name, column_name), '')) as evidence,
    format(
        E'-- make the column and its sequence bigint\nalter table %s alter %I type bigint;\nalter sequence %I.%I as bigint;',
        coalesce(table_name::text, '…'), coalesce(column_name, '…'), schema_name, sequence_name
    ) as fix
from sequences
where case when is_ascending then last_value >= 0.9 * highest else last_value <= 0.9 * lowest end
