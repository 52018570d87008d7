"""Whether a Postgres that the settings name can hold the warehouse: asked first, not found out in a build's midst."""

import psycopg

from dagster_project.settings import SettingsError
from dagster_project.warehouse import connection
from dagster_project.warehouse.access import roles

# A query of faults, each as one line that says what to do.
_FAULTS = """
    with here as (
        select
            quote_ident(current_user) as us,
            quote_ident(current_database()) as database,
            current_setting('server_version_num')::integer / 10000 as version,
            current_setting('server_encoding') as encoding
    )
    select format('Postgres %%s is too old: 15 or newer is needed', version) from here where version < 15
    union all
    select 'this server is a standby, which can only be read: name the primary' where pg_is_in_recovery()
    union all
    select format(
        'the database is in %%s, which cannot hold every text: '
        '`create database NAME encoding ''UTF8'' template template0`',
        encoding
    )
    from here where encoding <> 'UTF8'
    union all
    select format(
        'the user may not %%s: `grant %%s on database %%s to %%s`',
        case privilege when 'create' then 'create schemas' else 'create temporary tables, which each build needs' end,
        privilege, database, us
    )
    from here, unnest(array['create', 'temporary']) as privilege
    where not has_database_privilege(current_database(), privilege)
    union all
    select format('the user may not use the language plpgsql: `grant usage on language plpgsql to %%s`', us)
    from here
    where not exists (
        select from pg_language where lanname = 'plpgsql' and has_language_privilege(pg_language.oid, 'usage')
    )
    union all
    select format(
        'the schema %%s belongs to %%s, and a build changes what is in it: `alter schema %%1$s owner to %%3$s`, '
        'or take another database if it is of another program', nspname, pg_get_userbyid(nspowner), us
    )
    from here, pg_namespace
    where nspname = any(%(schemas)s) and not pg_has_role(nspowner, 'usage')
    union all
    select format(
        '%%s tables and views in the schema %%s belong to %%s, and a build changes them: '
        '`reassign owned by %%3$s to %%4$s` as an administrator',
        count(*), nspname, quote_ident(pg_get_userbyid(relowner)), us
    )
    from here, pg_class
    inner join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = any(%(schemas)s) and relkind in ('r', 'v', 'p', 'm', 'S') and not pg_has_role(relowner, 'usage')
        and not pg_is_other_temp_schema(relnamespace)
    group by nspname, relowner, us
    union all
    select format('transaction_timeout is %%s and would end a build: `alter role %%s set transaction_timeout = 0`',
        current_setting('transaction_timeout', true), us)
    from here
    where coalesce(current_setting('transaction_timeout', true), '0') <> '0'
"""
_POOLED = (
    "a pool of transactions (PgBouncer) stands before this server, where what we set and lock for a session becomes "
    "another's: name the server itself, or a pool of sessions"
)


class UnfitServer(SettingsError):
    """The named Postgres cannot hold the warehouse. `faults` says why, a line each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(f"DATABASE_URL: {'; '.join(faults)}")
        self.faults = faults


def require(url: str) -> None:
    """Ask the server, before anything is written to it.

    Raises:
        UnfitServer: something is missing.
    """
    with connection.connect(url, autocommit=True) as conn, connection.connect(url, autocommit=True) as other:
        faults = [row[0] for row in conn.execute(_FAULTS, {"schemas": list(roles.SCHEMAS)})]
        if share_a_session(conn, other):
            faults.append(_POOLED)
    if faults:
        raise UnfitServer(faults)


def share_a_session(first: psycopg.Connection, second: psycopg.Connection) -> bool:
    """Whether two open connections lead to one session of the server: a pool hands it from one to the other."""
    query = "select pg_backend_pid()"
    return first.execute(query).fetchone() == second.execute(query).fetchone()
