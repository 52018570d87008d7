-- An index that another one, of the same table and method, makes superfluous. A unique one yields to nothing but its
-- twin, and what carries a constraint yields last.
with pairs as (
    select
        one.*,
        other.index_name as other_name,
        one.keys = other.keys
        and one.columns = other.columns
        and (one.is_unique = other.is_unique or other.is_unique)
        and one.is_null_equal = other.is_null_equal as is_same
    from audited_indexes as one
    inner join audited_indexes as other
        on other.table_oid = one.table_oid
        and other.oid <> one.oid
        and other.method = one.method
        and other.predicate is not distinct from one.predicate
        and other.keys[1:cardinality(one.keys)] = one.keys
        and other.columns @> one.columns -- what INCLUDE holds is read from it too
    where one.is_valid
        and other.is_valid
        and not (one.is_attached and other.is_attached) -- their parents are compared
        and not one.is_exclusion
        and not one.is_replica_identity
        and (one.method = 'btree' or one.keys = other.keys)
        and (not one.is_unique or (other.is_unique and one.columns = other.columns and one.keys = other.keys))
        -- Of twins, one yields: that without a constraint, that which no foreign key refers to, the later by name.
        and not (
            one.keys = other.keys
            and one.columns = other.columns
            and one.is_unique = other.is_unique
            and (
                one.is_of_constraint,
                exists (select from pg_constraint where conindid = one.oid and contype = 'f'),
                other.index_name
            ) > (
                other.is_of_constraint,
                exists (select from pg_constraint where conindid = other.oid and contype = 'f'),
                one.index_name
            )
        )
)

select distinct on (pairs.oid)
    schema_name,
    schema_name || '.' || index_name as object,
    case when is_same then 'warning' else 'info' end as severity,
    format('%s %s on %s; %s', case when is_same then 'the same as' else 'a prefix of' end, other_name, table_name,
        pg_size_pretty(bytes)) as evidence,
    case
        when is_of_constraint then format('alter table %I.%I drop constraint %I;', schema_name, table_name, index_name)
        else format(
            'drop index %s%I.%I;', case when is_partitioned then '' else 'concurrently ' end, schema_name, index_name
        )
    end as fix
from pairs
order by pairs.oid, is_same desc, other_name
