"""What dbt's role may have left behind that runs by the rights of whoever reads or writes next: the owner's, too.

A view runs the functions in it as its reader, a trigger as its writer. The models need none of this, so where it is
found a model was led astray. Found in the catalogues alone: looking runs nothing.
"""

import psycopg

from dagster_project.warehouse.access.roles import DBT

# Those that run a text as a query, or change the session; and all that Postgres itself keeps from everybody: files,
# large objects' import and export, other sessions.
_FOUND = r"""
    with makers as materialized (
        select oid from pg_roles where rolname = %(dbt)s
        union all
        select pg_roles.oid from ops.logins inner join pg_roles on rolname = login where logins.role = %(dbt)s
    ),

    calls (pattern) as materialized (
        select '\m(' || string_agg(distinct proname, '|') || ')"?\s*\('
        from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and (
                not exists (
                    select from aclexplode(coalesce(proacl, acldefault('f', proowner)))
                    where grantee = 0 and privilege_type = 'EXECUTE'
                )
                or proname ~ '^(query|cursor|table|schema|database)_to_xml|^ts_(stat|rewrite)$|^set_config$'
                or proname ~ '^pg_(terminate|cancel)_backend$|^lo_'
            )
    ),

    relations as materialized (
        select pg_class.oid, relkind from pg_class
        where relowner in (select oid from makers) and relkind in ('r', 'p', 'v', 'm')
    )

    select format('function %%s', oid::regprocedure) from pg_proc where proowner in (select oid from makers)
    union all
    select format('trigger %%I on %%s', tgname, tgrelid::regclass)
    from pg_trigger inner join relations on relations.oid = tgrelid where not tgisinternal
    union all
    select format('rule %%I on %%s', rulename, ev_class::regclass)
    from pg_rewrite inner join relations on relations.oid = ev_class where ev_type <> '1'
    union all
    select format('policy %%I on %%s', polname, polrelid::regclass)
    from pg_policy inner join relations on relations.oid = polrelid
    union all
    select format('a call in the view %%s', relations.oid::regclass)
    from relations cross join calls
    where relkind in ('v', 'm') and pg_get_viewdef(relations.oid) ~ pattern
    union all
    select format('a call in the constraint %%I of %%s', conname, conrelid::regclass)
    from pg_constraint inner join relations on relations.oid = conrelid cross join calls
    where contype = 'c' and pg_get_constraintdef(pg_constraint.oid) ~ pattern
    union all
    select format('a call in a default of %%s', adrelid::regclass)
    from pg_attrdef inner join relations on relations.oid = adrelid cross join calls
    where pg_get_expr(adbin, adrelid) ~ pattern
    union all
    select format('a call in the index %%s', indexrelid::regclass)
    from pg_index inner join relations on relations.oid = indrelid cross join calls
    where num_nonnulls(indexprs, indpred) > 0 and pg_get_indexdef(indexrelid) ~ pattern
    order by 1
"""


class HiddenCode(Exception):
    """dbt's role has made what runs by another's rights; the text names it."""


def found(conn: psycopg.Connection) -> list[str]:
    """What there is of it, a line each."""
    return [line for (line,) in conn.execute(_FOUND, {"dbt": DBT})]


def require_none(conn: psycopg.Connection) -> None:
    """Raises HiddenCode where there is any."""
    if lines := found(conn):
        raise HiddenCode(
            f"{DBT} has made what runs by the rights of whoever reads or writes next: {'; '.join(lines[:5])}: drop it, "
            "as the owner and before anything else, and look where it comes from"
        )
