"""What pg_dump of one database leaves out: roles that have rights in it, and the database's own rights and settings.

No role becomes more than it was by a restore: superusers, and what lets a role rule over others, are left to an
administrator. A password is kept as the server keeps it (a SCRAM verifier), where we may read that.
"""

from typing import Any

import psycopg
from psycopg import sql

from dagster_project.warehouse.backup.folder import BackupFailed

# Whoever owns something or has a right in this database, and the members of those roles.
_ROLES = """
    with recursive named as (
        select refobjid as id from pg_shdepend
        where refclassid = 'pg_authid'::regclass
            and (dbid = (select oid from pg_database where datname = current_database())
                or classid = 'pg_database'::regclass
                    and objid = (select oid from pg_database where datname = current_database()))
        union
        select member from pg_auth_members inner join named on roleid = named.id
    )
    select rolname, rolcanlogin, rolinherit, rolconnlimit, rolvaliduntil::text, rolconfig,
        array(
            select roleid::regrole::text from pg_auth_members
            inner join named on named.id = roleid where member = pg_roles.oid order by 1
        ) as member_of
    from named inner join pg_roles on pg_roles.oid = named.id
    where rolname !~ '^pg_' and (not rolsuper or rolname = current_user)
    order by rolname
"""
_RIGHTS = """
    select coalesce(pg_roles.rolname, ''), rights.privilege_type, rights.is_grantable
    from pg_database
    cross join lateral aclexplode(datacl) as rights
    left join pg_roles on pg_roles.oid = rights.grantee
    where datname = current_database() and grantee <> datdba
    order by 1, 2
"""
_SETTINGS = """
    select coalesce(pg_roles.rolname, ''), split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
    from pg_db_role_setting
    inner join pg_database on pg_database.oid = setdatabase and datname = current_database()
    left join pg_roles on pg_roles.oid = setrole
    cross join lateral unnest(setconfig) as setting
    order by 1, 2
"""
_LISTS = ("search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries")


def read(conn: psycopg.Connection) -> dict[str, Any]:
    """Roles, and the database's rights and settings, as JSON can hold them."""
    cursor = conn.execute(_ROLES)
    names = [column.name for column in cursor.description or ()]
    roles = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    verifiers = _verifiers(conn)
    return {
        "roles": [role | _as_kept(role["rolname"], verifiers, conn.info.user) for role in roles],
        "rights": conn.execute(_RIGHTS).fetchall(),
        "closed_to_public": conn.execute(
            "select datacl is not null from pg_database where datname = current_database()"
        ).fetchone()
        == (True,),
        "settings": conn.execute(_SETTINGS).fetchall(),
    }


def make_missing(conn: psycopg.Connection, kept: dict[str, Any]) -> list[str]:
    """Make the roles that this server lacks; those that it has stay as they are. Returns the names of the new ones.

    Raises:
        BackupFailed: we may not make roles here.
    """
    there = {name for (name,) in conn.execute("select rolname from pg_roles")}
    missing = [role for role in kept["roles"] if role["rolname"] not in there]
    try:
        for role in missing:
            conn.execute(_creation(role))
            # Whoever may not act for a role can neither give it anything to own nor end its sessions.
            conn.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(role["rolname"])))
            for name, _, value in (setting.partition("=") for setting in role["rolconfig"] or ()):
                conn.execute(
                    sql.SQL("alter role {} set {}").format(sql.Identifier(role["rolname"]), _setting(name, value))
                )
        for role in missing:
            for group in role["member_of"]:
                conn.execute(sql.SQL("grant {} to {}").format(*map(sql.Identifier, (group, role["rolname"]))))
    except psycopg.errors.InsufficientPrivilege:
        names = ", ".join(role["rolname"] for role in missing)
        raise BackupFailed(
            f"the backup gives rights to roles that this server lacks ({names}), and this user may not make them: "
            "an administrator runs `alter role USER createrole`, or makes them"
        ) from None
    return [role["rolname"] for role in missing]


def may_act_for_all(conn: psycopg.Connection, kept: dict[str, Any]) -> bool:
    """Whether we may give things to each of the roles: where another user has made them, we may not."""
    how = "set" if conn.info.server_version >= 160000 else "member"
    names = [role["rolname"] for role in kept["roles"]]
    return conn.execute(
        "select coalesce(bool_and(pg_has_role(oid, %s)), true) from pg_roles where rolname = any(%s)", [how, names]
    ).fetchall() == [(True,)]


def put_on_database(conn: psycopg.Connection, database: str, kept: dict[str, Any]) -> None:
    """Give a database the rights and settings of the one that was backed up."""
    there = {name for (name,) in conn.execute("select rolname from pg_roles")} | {""}
    place = sql.Identifier(database)
    if kept["closed_to_public"]:
        conn.execute(sql.SQL("revoke all on database {} from public").format(place))
    for role, right, grantable in kept["rights"]:
        if role in there:
            conn.execute(
                sql.SQL("grant {} on database {} to {}{}").format(
                    sql.SQL(_word(right)), place, _grantee(role), sql.SQL(" with grant option" if grantable else "")
                )
            )
    for role, name, value in kept["settings"]:
        if role in there:
            whose = sql.SQL("role {} in database {}").format(sql.Identifier(role), place) if role else None
            conn.execute(
                sql.SQL("alter {} set {}").format(whose or sql.SQL("database {}").format(place), _setting(name, value))
            )


def _as_kept(name: str, verifiers: dict[str, str | None], user: str) -> dict[str, Any]:
    """The rest of a role; of ourselves the name alone, which whoever restores may have to take rights from."""
    return {"rolcanlogin": False, "verifier": None} if name == user else {"verifier": verifiers.get(name)}


def _verifiers(conn: psycopg.Connection) -> dict[str, str | None]:
    if conn.execute("select has_table_privilege('pg_authid', 'select')").fetchone() != (True,):
        return {}
    return dict(conn.execute("select rolname, rolpassword from pg_authid where rolpassword like 'SCRAM-SHA-256$%'"))


def _creation(role: dict[str, Any]) -> sql.Composed:
    parts = [
        sql.SQL("create role {}").format(sql.Identifier(role["rolname"])),
        sql.SQL("login" if role["rolcanlogin"] else "nologin"),
        sql.SQL("inherit" if role["rolinherit"] else "noinherit"),
        sql.SQL("connection limit {}").format(sql.Literal(role["rolconnlimit"])),
    ]
    if role["rolvaliduntil"]:
        parts.append(sql.SQL("valid until {}").format(sql.Literal(role["rolvaliduntil"])))
    if role["verifier"]:
        parts.append(sql.SQL("password {}").format(sql.Literal(role["verifier"])))
    return sql.SQL(" ").join(parts)


def _setting(name: str, value: str) -> sql.Composable:
    # Lists stand in the catalogue as they are written in SQL, quoted where they need it.
    shown = sql.SQL(value) if name in _LISTS else sql.Literal(value)
    return sql.SQL("{} to {}").format(sql.SQL(".").join(map(sql.Identifier, name.split("."))), shown)


def _word(right: str) -> str:
    if right not in ("CONNECT", "CREATE", "TEMPORARY"):
        raise BackupFailed("the manifest names a right that no database has")
    return right


def _grantee(role: str) -> sql.Composable:
    return sql.Identifier(role) if role else sql.SQL("public")
