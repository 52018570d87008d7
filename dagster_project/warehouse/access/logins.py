"""Logins of people and programs: roles of Postgres that log in, each a member of one role of `roles.py`.

A login has an end, a limit of sessions, and the settings that bi_reader has. Its password goes to the server as a SCRAM
verifier, so that no log of the server's holds it. It belongs to a user, who loses it when disabled. An agent's or
manager's login sees the chats of the agents and departments that are named with it.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from dagster_project.settings import DATABASES
from dagster_project.warehouse.access import audit_log, bi_role, roles, users
from dagster_project.warehouse.access.roles import ADMIN, AGENT, ANALYSIS, BI, DBT, LOADER, MANAGER, PII, PROGRAMS
from dagster_project.warehouse.connection import has_relation

# What a login is for, as people call it: the role that it is a member of.
PURPOSES = {
    "agent": AGENT,
    "manager": MANAGER,
    "bi": BI,
    "pii": PII,
    "admin": ADMIN,
    "loader": LOADER,
    "dbt": DBT,
    "analysis": ANALYSIS,
}
READERS = tuple(f"{source}_reader" for source in DATABASES)  # of sources that lie in the warehouse: a sync is them too
DAYS = 180  # that a password is taken, where nothing else is said
SESSIONS = 5
MIN_CHARACTERS = 12
_NAME = re.compile(r"[a-z][a-z0-9_.-]{1,62}")


class LoginRefused(Exception):
    """The login cannot be made or changed so; the text says why."""


@dataclass(frozen=True)
class Login:
    """A login as it stands: the server's word where it has one.

    Attributes:
        purpose: one of PURPOSES.
        user: whose it is, an id of ops.users.
        agents: ids of the agents whose chats it sees in marts_pii.
        departments: the same, of departments.
        is_there: whether the server has the role; it may have been dropped there.
    """

    name: str
    purpose: str
    user: str
    valid_until: datetime
    disabled_at: datetime | None
    agents: list[str]
    departments: list[str]
    sessions: int | None
    is_there: bool


def make(
    conn: psycopg.Connection,
    name: str,
    purpose: str,
    *,
    made_by: str,
    user: str | None = None,
    agents: Sequence[str] = (),
    departments: Sequence[str] = (),
    password: str | None = None,
    days: int = DAYS,
    valid_until: datetime | None = None,
    sessions: int = SESSIONS,
) -> str:
    """Make a login, or give one that there is a new password, end and scope; one that was disabled may log in again.

    Args:
        conn: in autocommit, of the warehouse's owner.
        purpose: one of PURPOSES.
        made_by: who does it, an id of ops.users.
        user: whose it is, an id or an address of ops.users. Default: that of whom it is now, else of its own name.
        password: default: one is made.
        days: until its password ends.
        valid_until: the same as a time, in place of days.

    Returns:
        its password.

    Raises:
        LoginRefused: the name is no name, or another's; its user is unknown, disabled or no Admin; an agent or a
            department is unknown; the password is too short; this user may not create roles.
    """
    role = PURPOSES[purpose]
    _require(conn, name, purpose, agents, departments)
    owner = _owner(conn, name, purpose, user)
    password = secrets.token_urlsafe(24) if password is None else password
    if len(password) < MIN_CHARACTERS or "\0" in password:
        raise LoginRefused(f"a password has {MIN_CHARACTERS} characters or more, and no NUL")
    until = valid_until or datetime.now(UTC) + timedelta(days=days)
    who = sql.Identifier(name)
    verifier = conn.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    is_new = not roles.exists(conn, name)
    try:
        with conn.transaction():
            if is_new:
                conn.execute(sql.SQL("create role {} login").format(who))
            conn.execute(
                sql.SQL(
                    "alter role {} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls inherit "
                    "connection limit {} valid until {} password {}"
                ).format(who, sql.Literal(sessions), sql.Literal(until.isoformat()), sql.Literal(verifier))
            )
            for other in _memberships(conn, name, but=[role, *READERS] if role == LOADER else [role]):
                conn.execute(sql.SQL("revoke {} from {}").format(sql.Identifier(other), who))
            conn.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), who))
            conn.execute(sql.SQL("grant connect on database {} to {}").format(sql.Identifier(conn.info.dbname), who))
            _set_limits(conn, who, role)
            # Whoever may not end its sessions waits for them in each rebuild.
            conn.execute(sql.SQL("grant {} to current_user").format(who))
            _write_down(conn, name, role, owner, until, made_by, agents, departments)
            audit_log.record(
                conn,
                "login.create" if is_new else "login.update",
                resource="login",
                resource_id=name,
                user=made_by,
                details={
                    "as": purpose,
                    "user": owner,
                    "valid_until": f"{until:%Y-%m-%d}",
                    "scopes": len(agents) + len(departments),
                },
            )
    except psycopg.errors.InsufficientPrivilege:
        raise LoginRefused("this user may not create roles or change this one: have an administrator do it") from None
    return password


def disable(conn: psycopg.Connection, name: str, *, by: str) -> None:
    """Let a login in no more, and end its sessions; what it was for stays known.

    Args:
        conn: in autocommit, of the warehouse's owner.
        by: who does it, an id of ops.users.

    Raises:
        LoginRefused: there is no such login, or this user may not change it.
    """
    if not _is_ours(conn, name):
        raise LoginRefused(f"there is no login {name}")
    try:
        with conn.transaction():
            if roles.exists(conn, name):
                conn.execute(sql.SQL("alter role {} nologin password null").format(sql.Identifier(name)))
            conn.execute(
                "update ops.logins set disabled_at = coalesce(disabled_at, now()), updated_at = now() where login = %s",
                [name],
            )
            audit_log.record(conn, "login.delete", resource="login", resource_id=name, user=by)
    except psycopg.errors.InsufficientPrivilege:
        raise LoginRefused("this user may not change that role: have an administrator do it") from None
    conn.execute("select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = %s", [name])


def listed(conn: psycopg.Connection) -> list[Login]:
    """All logins of this warehouse, by name."""
    if not has_relation(conn, "ops.logins"):
        return []
    rows = conn.execute("""
        select login::text, role::text, user_id, valid_until,
            coalesce(disabled_at, case when not rolcanlogin then updated_at end),
            array(select scope_id from ops.login_scopes as one
                where one.login = logins.login and kind = 'agent' order by 1),
            array(select scope_id from ops.login_scopes as one
                where one.login = logins.login and kind = 'department' order by 1),
            nullif(rolconnlimit, -1), rolname is not null
        from ops.logins left join pg_roles on rolname = login
        order by 1
    """).fetchall()
    purposes = {role: purpose for purpose, role in PURPOSES.items()}
    return [Login(row[0], purposes[row[1]], *row[2:]) for row in rows]


def own_name(role: str, end: str | None = None) -> str:
    """A name for a login that the program makes for itself; such names are nobody else's.

    Args:
        end: what tells logins of one role apart. Default: something that no other has.
    """
    return f"{role}_{end or secrets.token_hex(4)}"


def _require(
    conn: psycopg.Connection, name: str, purpose: str, agents: Sequence[str], departments: Sequence[str]
) -> None:
    is_own = re.fullmatch(own_name(PURPOSES[purpose], "[0-9a-f]+"), name)
    if not is_own and (not _NAME.fullmatch(name) or name.startswith(("pg_", "b2chat")) or name in roles.ROLES):
        raise LoginRefused("a login's name is of small letters, digits, '.', '_' and '-', and none of ours")
    if roles.exists(conn, name) and not _is_ours(conn, name):
        raise LoginRefused(f"the server has a role {name} that is not of this warehouse: take another name")
    if not roles.exists(conn, PURPOSES[purpose]):
        raise LoginRefused(f"there is no role {PURPOSES[purpose]}: have an administrator run `b2chat db bi-sql`")
    wanted = {"agent": agents, "department": departments}
    if purpose == "agent" and (departments or not agents):
        raise LoginRefused("an agent's login needs --agent, and takes no --department")
    if purpose not in ("agent", "manager") and (agents or departments):
        raise LoginRefused("--agent and --department are for logins of agents and managers: the others see all or none")
    for kind, ids in wanted.items():
        if ids and has_relation(conn, f"core.{kind}s"):
            query = sql.SQL("select id from unnest(%s::text[]) as id where id not in (select id from core.{})")
            for (unknown,) in conn.execute(query.format(sql.Identifier(f"{kind}s")), [list(ids)]):
                raise LoginRefused(f"no {kind} has the id {unknown!r}: `b2chat list {kind}s` shows them")


def _owner(conn: psycopg.Connection, name: str, purpose: str, given: str | None) -> str:
    """The id of the user whose login it is to be. Whom nobody has introduced becomes a service."""
    row = conn.execute("select user_id from ops.logins where login = %s", [name]).fetchone()
    if given and not users.find(conn, given):
        raise LoginRefused(f"there is no user {given}: `b2chat users add` introduces one")
    wanted = given or (row[0] if row else name)
    user = users.find(conn, wanted) or users.find(conn, users.of(conn, wanted))
    assert user is not None
    if user.disabled_at:
        raise LoginRefused(f"the user {user.id} is disabled: `b2chat users disable {user.id} --undo` first")
    if purpose == "admin" and user.kind == "person" and user.role != "Admin":
        raise LoginRefused(f"the user {user.id} is {user.role}, and a login of an administrator takes an Admin")
    return user.id


def _is_ours(conn: psycopg.Connection, name: str) -> bool:
    return conn.execute("select from ops.logins where login = %s", [name]).fetchone() is not None


def _is_superuser(conn: psycopg.Connection) -> bool:
    return conn.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() == (True,)


def _memberships(conn: psycopg.Connection, name: str, *, but: list[str]) -> list[str]:
    rows = conn.execute(
        """
        select pg_get_userbyid(roleid) from pg_auth_members
        where member = to_regrole(quote_ident(%s)) and pg_get_userbyid(roleid) <> all(%s)
        """,
        [name, but],
    ).fetchall()
    return [row[0] for row in rows]


def _set_limits(conn: psycopg.Connection, who: sql.Identifier, role: str) -> None:
    """Of people what bi_reader has; a program works as its role, which then owns what it makes."""
    conn.execute(sql.SQL("alter role {} reset all").format(who))
    if role in PROGRAMS:
        conn.execute(sql.SQL("alter role {} set role = {}").format(who, sql.Literal(role)))
        return
    path = {"search_path": "marts_pii"} if role == AGENT else {"search_path": "marts, marts_pii"}
    for setting, value in (bi_role.SETTINGS | path).items():
        change = sql.SQL("alter role {} set {} = {}")
        values = sql.SQL(", ").join(map(sql.Literal, value.split(", ")))
        conn.execute(change.format(who, sql.Identifier(setting), values))
    if _is_superuser(conn):
        conn.execute(sql.SQL("alter role {} set temp_file_limit = '10GB'").format(who))
        conn.execute(sql.SQL("alter role {} set log_min_messages = panic").format(who))


def _write_down(
    conn: psycopg.Connection,
    name: str,
    role: str,
    owner: str,
    until: datetime,
    made_by: str,
    agents: Sequence[str],
    departments: Sequence[str],
) -> None:
    conn.execute(
        """
        insert into ops.logins (login, role, user_id, valid_until, made_by) values (%s, %s, %s, %s, %s)
        on conflict (login) do update set
            role = excluded.role, user_id = excluded.user_id, valid_until = excluded.valid_until,
            disabled_at = null, updated_at = now()
        """,
        [name, role, owner, until, made_by],
    )
    conn.execute("delete from ops.login_scopes where login = %s", [name])
    conn.execute(
        """
        insert into ops.login_scopes (login, kind, scope_id)
        select distinct %s::name, 'agent', id from unnest(%s::text[]) as id
        union all
        select distinct %s::name, 'department', id from unnest(%s::text[]) as id
        """,
        [name, list(agents), name, list(departments)],
    )
