"""What the role of BI is and may do: compared with the server, put back where we may, and as SQL for an administrator.

A role may change its own settings, drop its own rights and hold what every role may hold. So a part that it cannot
change is a wall, and one that it can is a guard rail, which holds until the role lifts it and again from the next
refresh or `b2chat check` on. docs/bi_access.md says which is which.
"""

import logging
from dataclasses import dataclass

import psycopg
from psycopg import sql

from dagster_project.warehouse.access import roles

log = logging.getLogger(__name__)

ROLE = "bi_reader"
SETTINGS = {
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "1min",
    "lock_timeout": "30s",
    "search_path": "marts",
    "statement_timeout": "5min",
}


@dataclass(frozen=True)
class Part:
    """One thing that the role must be, or must not be.

    Attributes:
        fault: what is wrong where it is not so.
        wrong: SQL, whether that is the case.
        mend: SQL that puts it right; `:user` is the warehouse's own user, `:database` its database.
        superuser_only: nobody else can, so that a warehouse on a server of others goes without.
    """

    fault: str
    wrong: str
    mend: str
    superuser_only: bool = False


def _excess(fault: str, rights: str, *, superuser_only: bool = False) -> Part:
    """Rights that the role must not have, as a query of privilege, object, and whether all roles have it (of_all).

    A right of PUBLIC can only be taken from all: the roles that there are keep it, each by a grant of its own.
    """
    return Part(fault, f"exists ({rights})", _TAKE.replace(":rights", rights), superuser_only)


_TAKE = """
do $$ declare
    excess record;
    other name;
begin
    for excess in :rights
    loop
        for other in
            select rolname from pg_roles
            where excess.of_all and rolcanlogin and not rolsuper and rolname <> 'bi_reader'
                and rolname not in (select login from ops.logins)
        loop
            execute format('grant %s on %s to %I', excess.privilege, excess.object, other);
        end loop;
        execute format('revoke %s on %s from public, bi_reader', excess.privilege, excess.object);
    end loop;
end $$"""
_EXISTS = "exists (select from pg_roles where rolname = 'bi_reader')"
_CREATE = f"do $$ begin if not {_EXISTS} then create role bi_reader login; end if; end $$"

PARTS = (
    Part(
        "it may have more than 20 sessions, or may not log in",
        """exists (
            select from pg_roles
            where rolname = 'bi_reader' and not (rolcanlogin and rolconnlimit between 0 and 20)
        )""",
        "alter role bi_reader login connection limit 20",
    ),
    Part(
        "it is a superuser, or may make roles or databases, replicate, or see behind row security",
        """exists (
            select from pg_roles
            where rolname = 'bi_reader' and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)
        )""",
        "alter role bi_reader nosuperuser nocreaterole nocreatedb noreplication nobypassrls",
    ),
    Part(
        "it is a member of another role",
        "exists (select from pg_auth_members where member = 'bi_reader'::regrole)",
        """
do $$ declare
    other regrole;
begin
    for other in select roleid from pg_auth_members where member = 'bi_reader'::regrole loop
        execute format('revoke %s from bi_reader', other);
    end loop;
end $$""",
    ),
    Part(
        "its settings are not those that limit it",
        """(
            select array_agg(setting order by setting collate "C")
                filter (where setting !~ '^(temp_file_limit|log_min_messages)=')
            from pg_db_role_setting
            cross join lateral unnest(setconfig) as setting
            where setrole = 'bi_reader'::regrole
                and setdatabase in (0, (select oid from pg_database where datname = current_database()))
        ) is distinct from array[:settings]""".replace(
            ":settings", ", ".join(f"'{name}={value}'" for name, value in sorted(SETTINGS.items()))
        ),
        "alter role bi_reader in database :database reset all;\nalter role bi_reader reset all;\n"
        + ";\n".join(f"alter role bi_reader set {name} = '{value}'" for name, value in sorted(SETTINGS.items())),
    ),
    Part(
        "the warehouse's user is no member of it, and so may not end its sessions",
        "not pg_has_role(current_user, 'bi_reader', 'usage')",
        "grant bi_reader to :user",
    ),
    Part(
        "it may not connect to the database",
        "not has_database_privilege('bi_reader', current_database(), 'connect')",
        "grant connect on database :database to bi_reader",
    ),
    _excess(
        "it may make temporary tables, or schemas",
        """
        select
            privilege, format('database %I', current_database()) as object,
            has_database_privilege('public', current_database(), privilege) as of_all
        from unnest(array['temporary', 'create']) as privilege
        where has_database_privilege('bi_reader', current_database(), privilege)""",
    ),
    _excess(
        "it may make tables in a schema",
        """
        select
            'create' as privilege, format('schema %I', nspname) as object,
            has_schema_privilege('public', oid, 'create') as of_all
        from pg_namespace
        where nspname !~ '^pg_' and has_schema_privilege('bi_reader', oid, 'create')""",
    ),
    _excess(
        "it may write to a mart",
        """
        select
            'insert, update, delete, truncate, references, trigger' as privilege,
            format('table %s', oid::regclass) as object, false as of_all
        from pg_class
        where relnamespace = to_regnamespace('marts') and relkind in ('r', 'v')
            and has_table_privilege('bi_reader', oid, 'insert, update, delete, truncate, references, trigger')""",
    ),
    Part(
        "it owns something in this database",
        # Default privileges of its own are nothing: they concern what it would make.
        """exists (
            select from pg_shdepend
            where refclassid = 'pg_authid'::regclass and refobjid = 'bi_reader'::regrole and deptype = 'o'
                and classid <> 'pg_default_acl'::regclass
                and dbid = (select oid from pg_database where datname = current_database())
        )""",
        # Large objects, which every role may make; a thousand at a time, because each of them takes a lock.
        """
select count(lo_unlink(oid))
from (select oid from pg_largeobject_metadata where lomowner = 'bi_reader'::regrole limit 1000) as made""",
    ),
    _excess(
        "it may take advisory locks, make large objects and write messages to the log of changes",
        """
        select
            'execute' as privilege, format('function %s', oid::regprocedure) as object,
            has_function_privilege('public', oid, 'execute') as of_all
        from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and proname ~ '^(pg_(try_)?advisory_(xact_)?lock|lo_(creat|from_bytea|put)|lowrite|pg_logical_emit_message)'
            and has_function_privilege('bi_reader', oid, 'execute')""",
        superuser_only=True,
    ),
    Part(
        "the temporary files of its queries have no limit",
        """not exists (
            select from pg_db_role_setting
            where setrole = 'bi_reader'::regrole and setdatabase = 0 and 'temp_file_limit=10GB' = any(setconfig)
        )""",
        "alter role bi_reader set temp_file_limit = '10GB'",
        superuser_only=True,
    ),
    Part(
        "it may write to the server's log as much as it likes",
        """not exists (
            select from pg_db_role_setting
            where setrole = 'bi_reader'::regrole and setdatabase = 0 and 'log_min_messages=panic' = any(setconfig)
        )""",
        "alter role bi_reader set log_min_messages = panic",
        superuser_only=True,
    ),
)
# Of a session that has been at it for longer than a query may take, or that holds a lock which no BI tool needs.
_END_SESSIONS = """
select count(pg_terminate_backend(pid))
from pg_stat_activity as sessions
where usename = 'bi_reader' and datname = current_database() and pg_has_role(usesysid, 'usage')
    and (
        xact_start < now() - interval '10 minutes'
        or exists (select from pg_locks where pg_locks.pid = sessions.pid and locktype = 'advisory')
    )"""
# They have no rights of their own yet: our user, who owns the tables, gives them at the next build.
_OTHERS = f"""
do $$ declare
    wanted name;
begin
    foreach wanted in array array{[role for role in roles.ROLES if role != ROLE]} loop
        if not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I nologin', wanted);
        end if;
        execute format('grant %I to :user', wanted);
    end loop;
    grant temporary on database :database to {", ".join(roles.PROGRAMS)};
end $$"""
_NOTE = """
-- The role bi_reader as `b2chat check` wants it, and the other roles of the program. Run this in the warehouse's
-- database, as an owner who may create roles or as an administrator; it may be run again. What is taken from PUBLIC is
-- granted to the other roles that there are.
""".strip()


def exists(conn: psycopg.Connection) -> bool:
    """Whether there is the role."""
    return conn.execute("select from pg_roles where rolname = %s", [ROLE]).fetchone() is not None


def is_full(conn: psycopg.Connection) -> bool:
    """Whether all its sessions are in use, so that nobody can try its password."""
    query = """
        select count(sessions.pid) >= rolconnlimit and rolconnlimit >= 0
        from pg_roles
        left join pg_stat_activity as sessions on sessions.usesysid = pg_roles.oid
        where rolname = %s
        group by rolconnlimit
    """
    return conn.execute(query, [ROLE]).fetchone() == (True,)


def restore(conn: psycopg.Connection) -> list[Part]:
    """Make the role what it should be, where this user may; nothing is written where it is that already.

    Args:
        conn: in autocommit.

    Returns:
        the parts that are still wrong; none where there is no role and it may not be made.
    """
    if not exists(conn) and not _done(conn, _CREATE):
        return []
    for part in PARTS:
        if _is_wrong(conn, part) and _done(conn, part.mend) and not _is_wrong(conn, part):
            log.warning("%s was put right: %s", ROLE, part.fault)
    _done(conn, _END_SESSIONS)
    return [part for part in PARTS if _is_wrong(conn, part)]


def script(conn: psycopg.Connection, verifier: str) -> str:
    """SQL for an administrator: it makes the role with its limits, or puts them back.

    Args:
        verifier: of its password, as the server keeps it.
    """
    password = sql.SQL("alter role bi_reader password {}").format(verifier).as_string(conn)
    own = [_CREATE, *(part.mend for part in PARTS if not part.superuser_only), password, _OTHERS]
    superusers = [part.mend for part in PARTS if part.superuser_only]
    return "\n".join(
        [
            _NOTE,
            *(f"{_filled(conn, statement).strip()};" for statement in own),
            "-- Only a superuser can do the rest; all else holds without it.",
            *(f"{_filled(conn, statement).strip()};" for statement in superusers),
        ]
    )


def _is_wrong(conn: psycopg.Connection, part: Part) -> bool:
    return conn.execute(f"select {part.wrong}").fetchone() == (True,)


def _done(conn: psycopg.Connection, statements: str) -> bool:
    """Whether they could be run; we may not have the right, or another session does the same at this very moment."""
    try:
        with conn.transaction():
            conn.execute("set local lock_timeout = '5s'")
            conn.execute(_filled(conn, statements))
    except psycopg.Error as error:
        log.debug("%s: %s", ROLE, type(error).__name__)
        return False
    return True


def _filled(conn: psycopg.Connection, statements: str) -> str:
    for name, value in {":user": conn.info.user, ":database": conn.info.dbname}.items():
        statements = statements.replace(name, sql.Identifier(value).as_string(conn))
    return statements
