"""The logins by which parts of the program work: syncs, dbt and analyses, where the settings want roles of their own.

A part that is led astray finds no more in its session than its role may do, for the login behind it is no other. The
settings name the logins' addresses; where they do not, and this user may make roles, each is made with a password that
nobody chose, which stays in the data folder. Without a login a part is kept to its role by `set role` alone.
"""

import contextlib
import secrets
from collections.abc import Iterator

import psycopg
from psycopg import sql
from pydantic import SecretStr

from dagster_project.settings import Settings, SettingsError, variable_name
from dagster_project.warehouse import connection, conninfo, locks
from dagster_project.warehouse.access import logins, roles, users
from dagster_project.warehouse.access.roles import ANALYSIS, DBT, LOADER
from dagster_project.warehouse.private_files import NotOurs, PrivateFolder

# The setting that names a role's login.
SETTINGS = {LOADER: "database_url_loader", DBT: "database_url_dbt", ANALYSIS: "database_url_analysis"}
_PURPOSES = {role: purpose for purpose, role in logins.PURPOSES.items()}
_DAYS, _SESSIONS = 3650, 30  # dbt alone has a session a thread; nobody is there to give a new password in time


class LoginsWrong(Exception):
    """A part's login cannot be used, or may do more than the part needs; the text says which."""


def with_logins(settings: Settings, url: str) -> Settings:
    """The settings with the whole address of each part's login, once it is there.

    Raises:
        SettingsError: an address is none.
    """
    if not settings.separate_roles:
        return settings
    found: dict[str, SecretStr] = {}
    with connection.connect(url, autocommit=True) as conn:
        for role, name in SETTINGS.items():
            address: str | None
            if given := getattr(settings, name):
                parameters = conninfo.for_part(url, given.get_secret_value(), variable_name(name))
                address = conninfo.to_url(conninfo.protected(parameters, settings.plain_hosts, variable_name(name)))
            else:
                address = _kept(conn, settings, url, role)
            if address:
                found[name] = SecretStr(address)
            if address and role == LOADER:
                _let_read_sources(conn, conninfo.read(address).get("user", ""))
    return settings.model_copy(update=found)


def url_of(settings: Settings, url: str, role: str) -> str:
    """The address by which a part works: its own login's; else the warehouse's with the role set; else that itself."""
    if not settings.separate_roles:
        return url
    own = getattr(settings, SETTINGS[role])
    return connection.as_role(own.get_secret_value() if own else url, role)


def reader_url(settings: Settings, url: str, reader: str) -> str:
    """The address by which a sync reads a source that lies in the warehouse: of the loader's login, if it has one."""
    own = settings.database_url_loader if settings.separate_roles else None
    return connection.as_role(own.get_secret_value() if own else url, reader)


def check(settings: Settings, url: str) -> str:
    """One line on who the parts work as.

    Raises:
        LoginsWrong: a login does not open, or may do more than its part.
    """
    if not settings.separate_roles:
        return "the program does all as the owner: B2CHAT_SEPARATE_ROLES=true gives a sync, dbt and analyses their own"
    lacking = [role for role, name in SETTINGS.items() if getattr(settings, name) is None]
    if faults := [fault for role in SETTINGS if role not in lacking for fault in _faults(settings, url, role)]:
        raise LoginsWrong("; ".join(faults))
    if not lacking:
        return "a sync, dbt and analyses each work by a login of their own"
    return (
        f"{', '.join(lacking)} by `set role` of the owner's login, a guard rail and no wall: this user may not make "
        f"logins; name them in {', '.join(variable_name(SETTINGS[role]) for role in lacking)}"
    )


def _faults(settings: Settings, url: str, role: str) -> Iterator[str]:
    name = variable_name(SETTINGS[role])
    try:
        with connection.connect(url_of(settings, url, role)) as conn:
            row = conn.execute(_SESSION, {"role": role, "owner": conninfo.read(url)["user"]}).fetchone()
    except psycopg.OperationalError as error:
        yield f"{name}: {conninfo.reason_of(error, conninfo.read(url_of(settings, url, role)))}"
        return
    assert row is not None
    login, is_more, database = row
    if is_more:
        yield f"{name}: {login} may do more than {role}: it is the owner, a member of it, or a superuser"
    if database != conninfo.read(url).get("dbname"):
        yield f"{name} leads to the database {database}"


_SESSION = """
    select session_user::text, rolsuper or pg_has_role(session_user, %(owner)s, 'member'), current_database()::text
    from pg_roles where rolname = session_user
"""


def _kept(conn: psycopg.Connection, settings: Settings, url: str, role: str) -> str | None:
    """The address of the login that is made for a role; None where none can be made."""
    if address := _opening(conn, settings, url, role):
        return address
    with locks.held(conn, "program login", role):
        # Another start may have made it meanwhile.
        return _opening(conn, settings, url, role) or _made(conn, settings, url, role)


def _opening(conn: psycopg.Connection, settings: Settings, url: str, role: str) -> str | None:
    with _folder(settings) as folder:
        password = folder.read(_file(role))
    name = _name(conn, role)
    if not password or not name:
        return None
    address = conninfo.for_role(url, name, password)
    # With all its sessions in use it opens to nobody, and is no worse for it.
    at_work = conn.execute("select true from pg_stat_activity where usename = %s limit 1", [name]).fetchone()
    return address if at_work or connection.opens(address) else None


def _made(conn: psycopg.Connection, settings: Settings, url: str, role: str) -> str | None:
    name = _name(conn, role) or logins.own_name(role)
    # Nobody guesses 24 random bytes: hashed once, not 4,096 times in each of a build's 400 logins.
    if conn.info.server_version >= 160000:
        conn.execute("set scram_iterations = 1")
    try:
        password = logins.make(
            conn,
            name,
            _PURPOSES[role],
            made_by=users.account(),
            user=users.of(conn, role),
            password=secrets.token_urlsafe(24),
            days=_DAYS,
            sessions=_SESSIONS,
        )
    except logins.LoginRefused as refusal:
        if (user := users.find(conn, role)) and user.disabled_at:
            raise SettingsError(f"B2CHAT_SEPARATE_ROLES: {refusal}") from None
        return None
    finally:
        if conn.info.server_version >= 160000:
            conn.execute("reset scram_iterations")
    with _folder(settings) as folder:
        folder.write(_file(role), password)
    return conninfo.for_role(url, name, password)


def _name(conn: psycopg.Connection, role: str) -> str | None:
    """The login that was made for a role: of this warehouse, for another one on the server has its own."""
    pattern = logins.own_name(role, "[0-9a-f]+")
    row = conn.execute(
        "select login::text from ops.logins where role = %s and login ~ %s order by created_at limit 1",
        [role, f"^{pattern}$"],
    ).fetchone()
    return row[0] if row else None


def _let_read_sources(conn: psycopg.Connection, login: str) -> None:
    """A sync reads sources that lie in the warehouse, by the roles that their schemas have for that."""
    for reader in logins.READERS:
        missing = "select true from pg_roles where rolname = %s and not pg_has_role(%s, oid, 'member')"
        if roles.exists(conn, login) and conn.execute(missing, [reader, login]).fetchone():
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
                conn.execute(sql.SQL("grant {} to {}").format(sql.Identifier(reader), sql.Identifier(login)))


def _file(role: str) -> str:
    return f"{_PURPOSES[role]}_password"


def _folder(settings: Settings) -> PrivateFolder:
    try:
        return PrivateFolder(settings.data_path)
    except NotOurs as error:
        raise SettingsError(str(error)) from None
