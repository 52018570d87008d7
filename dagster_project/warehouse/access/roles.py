"""Who may do what in the warehouse: its roles, and what each may do to what. docs/access.md says what for.

The owner, the user of DATABASE_URL, owns all of it and may do all. The others have what is written here, in the
database as rows of ops.role_rights, and nothing else: `ops.apply_rights` gives and takes.
"""

import logging
from typing import NamedTuple

import psycopg
from psycopg import sql

from dagster_project.warehouse.connection import has_relation

log = logging.getLogger(__name__)

LOADER, DBT, ANALYSIS = "b2chat_loader", "b2chat_dbt", "b2chat_analysis"
BI, PII, MANAGER, ADMIN, AGENT = "bi_reader", "pii_reader", "b2chat_manager", "b2chat_admin", "b2chat_agent"
PROGRAMS, PEOPLE = (LOADER, DBT, ANALYSIS), (BI, PII, MANAGER, ADMIN, AGENT)
ROLES = PROGRAMS + PEOPLE
BUILT = ("staging", "intermediate", "core", "marts", "marts_pii", "marts_admin")  # by dbt
SCHEMAS = ("raw", "ops", "archived", *BUILT, "analysis", "dagster")

READ, WRITE, EXECUTE = ("select",), ("select", "insert", "update", "delete"), ("execute",)
MAKE = ("create",)  # and own what it makes
_LOCKS = "session_lives|try_lock|unlock|lock_in_transaction"
# What an agent and a manager see of themselves; the other views of marts_pii show everybody.
_OWN = r"my_\w+"


class Right(NamedTuple):
    """What a role may do in a schema, to the tables, functions or sequences whose whole name matches `names`."""

    role: str
    schema: str
    names: str
    privileges: tuple[str, ...]


RIGHTS = (
    Right(LOADER, "raw", ".*", WRITE),
    Right(
        LOADER,
        "ops",
        r"page_loads|sync_\w+|api_\w+|error_logs|field_catalog|data_source|archived_records|notifications",
        WRITE,
    ),
    Right(LOADER, "ops", "suppressed_people|erased_chats", ("select", "insert")),  # and let nobody off the list
    Right(LOADER, "ops", "archives|locks|build_watermarks|users|system_settings|suppression_salt", READ),
    Right(LOADER, "ops", f"{_LOCKS}|keep_month|keep_response_day|audit|user_of", EXECUTE),
    Right(DBT, "raw", ".*", READ),
    Right(DBT, "ops", ".*", READ),
    Right(DBT, "ops", "page_loads|build_watermarks|build_fingerprints|calendar_and_target_versions|last_build", WRITE),
    Right(DBT, "ops", "page_loads_load_id_seq", ("usage",)),
    Right(DBT, "ops", f"{_LOCKS}|keep_month|apply_rights|end_readers|audit|user_of", EXECUTE),
    Right(DBT, "analysis", ".*", (*READ, "references")),
    Right(DBT, "analysis", "", MAKE),
    *(Right(DBT, schema, "", MAKE) for schema in BUILT),
    *(Right(ANALYSIS, schema, ".*", READ) for schema in ("intermediate", "core", "marts")),
    Right(ANALYSIS, "analysis", ".*", WRITE),
    Right(ANALYSIS, "ops", "page_loads|build_watermarks|locks|users|system_settings|erased_chats", READ),
    Right(ANALYSIS, "ops", "ai_usage_ledger", WRITE),
    Right(ANALYSIS, "ops", f"{_LOCKS}|audit|user_of", EXECUTE),
    Right(BI, "marts", ".*", READ),
    Right(PII, "marts", ".*", READ),
    Right(PII, "marts_pii", ".*", READ),
    Right(MANAGER, "marts", ".*", READ),
    Right(MANAGER, "ops", "export_logs", READ),
    Right(MANAGER, "marts_pii", _OWN, READ),
    Right(AGENT, "marts_pii", _OWN, READ),
    *(Right(ADMIN, schema, ".*", READ) for schema in ("ops", "core", "marts", "marts_pii", "marts_admin", "analysis")),
    Right(ADMIN, "ops", "users|system_settings", ("insert", "update")),
)


def restore(conn: psycopg.Connection) -> None:
    """Make the roles that are missing, and give each what is written here and nothing else, where this user may.

    Args:
        conn: in autocommit, of the owner.
    """
    if not has_relation(conn, "ops.role_rights"):
        return
    for role in ROLES:
        _make(conn, role)
    if _declared(conn) != set(RIGHTS):
        with conn.transaction():
            conn.execute("delete from ops.role_rights")
            conn.cursor().executemany(
                "insert into ops.role_rights values (%s, %s, %s, %s)",
                [(*right[:3], list(right.privileges)) for right in RIGHTS],
            )
    with conn.transaction():
        (changed,) = conn.execute("select ops.apply_rights()").fetchone() or (0,)
    if changed:
        log.info("rights of roles: %d were given or taken", changed)
    for (role,) in conn.execute(_WITHOUT_TEMPORARY, [list(PROGRAMS)]).fetchall():
        database = sql.Identifier(conn.info.dbname)
        _try(conn, sql.SQL("grant temporary on database {} to {}").format(database, sql.Identifier(role)))


def exists(conn: psycopg.Connection, role: str) -> bool:
    """Whether there is such a role on the server."""
    return conn.execute("select from pg_roles where rolname = %s", [role]).fetchone() is not None


def hand_over(conn: psycopg.Connection, *, separate: bool) -> int:
    """Make b2chat_dbt the owner of what dbt makes, or take that back: a view reads with its owner's rights, so that all
    of it has one. Nothing happens where it is so already.

    Args:
        conn: in autocommit, of the warehouse's owner.
        separate: whether dbt works as b2chat_dbt.

    Returns:
        how many relations and schemas changed hands.
    """
    if separate:
        for schema in BUILT:
            if conn.execute("select to_regnamespace(%s) is null", [schema]).fetchone() == (True,):
                conn.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    given = {"schemas": list(BUILT), "dbt": DBT, "separate": separate}
    with conn.transaction():
        changes = conn.execute(_TO_HAND_OVER, given).fetchall()
        for (change,) in changes:
            conn.execute(change)
    return len(changes)


_WITHOUT_TEMPORARY = """
    select rolname from pg_roles
    where rolname = any(%s) and not has_database_privilege(oid, current_database(), 'temporary')
"""
_TO_HAND_OVER = """
    with made as (
        select format('schema %%I', nspname) as thing, nspowner as owner from pg_namespace
        where nspname = any(%(schemas)s)
        union all
        select format('table %%s', pg_class.oid::regclass), relowner
        from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
        where relkind in ('r', 'p', 'v', 'm')
            and (
                nspname = any(%(schemas)s)
                or nspname = 'analysis' and exists (
                    select from ops.build_fingerprints where relation = nspname || '.' || relname
                )
            )
    )

    select format('alter %%s owner to %%I', thing, case when %(separate)s then %(dbt)s else current_user end)
    from made
    where (pg_get_userbyid(owner) = %(dbt)s) <> %(separate)s and pg_has_role(owner, 'usage')
"""


def _declared(conn: psycopg.Connection) -> set[Right]:
    rows = conn.execute("select role, schema_name, names, privileges from ops.role_rights").fetchall()
    return {Right(role, schema, names, tuple(privileges)) for role, schema, names, privileges in rows}


def _make(conn: psycopg.Connection, role: str) -> None:
    """bi_role.py makes bi_reader, which alone logs in by its own name."""
    name = sql.Identifier(role)
    if not exists(conn, role) and role != BI:
        _try(conn, sql.SQL("create role {} nologin").format(name))
    if conn.execute("select pg_has_role(oid, 'usage') from pg_roles where rolname = %s", [role]).fetchone() == (False,):
        _try(conn, sql.SQL("grant {} to current_user").format(name))


def _try(conn: psycopg.Connection, statement: sql.Composed) -> None:
    """We may not have the right, or another process does the same at this very moment."""
    try:
        with conn.transaction():
            conn.execute(statement)
    except psycopg.Error as error:
        log.debug("%s: %s", statement.as_string(conn), type(error).__name__)
