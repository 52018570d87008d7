"""BI's way in: the address and password of the role `bi_reader`, and what it reads."""

import contextlib
import secrets
from pathlib import Path

import psycopg
from psycopg import sql

from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import connection, conninfo
from dagster_project.warehouse.access import bi_role, roles
from dagster_project.warehouse.access.bi_role import ROLE
from dagster_project.warehouse.private_files import NotOurs, PrivateFolder

_KEEPER = "bi_password"
_ELSEWHERE = """
    select format('%%I.%%I', nspname, relname)
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'v', 'm', 'p', 'f')
        and nspname = any(%(schemas)s)
        and has_schema_privilege(%(role)s, pg_namespace.oid, 'usage')
        and has_any_column_privilege(%(role)s, pg_class.oid, 'select')
    order by 1
    limit 1
"""
_MARTS = """
    select count(*), count(*) filter (where has_table_privilege(%(role)s, pg_class.oid, 'select'))
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'v') and nspname = 'marts'
"""


_ASK = "have an administrator run what `b2chat db bi-sql` prints"


class BiAccessWrong(Exception):
    """The role can read less or more than the marts; the text says what, and what to do."""


def url_with_password(settings: Settings, url: str) -> str:
    """The address for BI tools, with a password that opens it.

    The password is that of the settings, else one that is made at the first call and kept in the data folder. It goes
    to the server as a SCRAM verifier, so that no log of the server's holds it.

    Raises:
        SettingsError: there is no such role, or this user may not give it a password.
    """
    password = _known_password(settings) or _kept(settings.data_path)
    with connection.connect(url, autocommit=True) as conn:
        bi_role.restore(conn)
        roles.restore(conn)
    wanted = _url(url, password)
    if not connection.opens(wanted):
        _set_password(url, password)
    return wanted


def restore(settings: Settings, url: str) -> list[bi_role.Part]:
    """Put the role back as it should be, and its password where we know it; returns what is still wrong with it."""
    with connection.connect(url, autocommit=True) as conn:
        wrong = bi_role.restore(conn)
        roles.restore(conn)
        known = _known_password(settings)
        if known and bi_role.exists(conn) and not bi_role.is_full(conn) and not connection.opens(_url(url, known)):
            with contextlib.suppress(SettingsError):
                _set_password(url, known)
    return wrong


def script(settings: Settings, url: str) -> str:
    """SQL for an administrator that makes the role whole: with its limits, and the password that `db bi-url` prints."""
    with connection.connect(url) as conn:
        return bi_role.script(conn, _verifier(conn, _known_password(settings) or _kept(settings.data_path)))


def check(settings: Settings, url: str) -> str:
    """One line about BI's access, after what could be put right was.

    Raises:
        BiAccessWrong: the role reads less or more than the marts, or lacks a limit.
    """
    with connection.connect(url, autocommit=True) as conn:
        bi_role.restore(conn)
        others = {"role": ROLE, "schemas": [schema for schema in roles.SCHEMAS if schema != "marts"]}
        found = conn.execute(_ELSEWHERE, others).fetchone() if bi_role.exists(conn) else None
        if found:
            raise BiAccessWrong(f"{ROLE} can read {found[0]}: revoke what was granted to it beyond the schema marts")
    wrong = restore(settings, url)
    with connection.connect(url) as conn:
        if not bi_role.exists(conn):
            return f"none: this user may not create roles; {_ASK}, then run `b2chat build`"
        marts, readable = conn.execute(_MARTS, {"role": ROLE}).fetchone() or (0, 0)
        is_full = bi_role.is_full(conn)
    if faults := [part.fault for part in wrong if not part.superuser_only]:
        raise BiAccessWrong(f"{ROLE}: {'; '.join(faults)}: {_ASK}")
    if readable < marts:
        raise BiAccessWrong(f"{ROLE} can read {readable} of {marts} marts: run `b2chat build`, which grants the rest")
    known = _known_password(settings)
    if known and not is_full and not connection.opens(_url(url, known)):
        raise BiAccessWrong(f"{ROLE} cannot log in with its password: {_ASK}, or allow it in the server's pg_hba.conf")
    shown = connection.without_password(_url(url, "password"))
    notes = ["all its sessions are in use"] if is_full else []
    notes += [f"{part.fault} (only a superuser can change that)" for part in wrong]
    return "; ".join([f"{shown} reads {marts} marts (`b2chat db bi-url` prints it with the password)", *notes])


def _url(url: str, password: str) -> str:
    return conninfo.for_role(url, ROLE, password)


def _known_password(settings: Settings) -> str | None:
    if settings.bi_password:
        return settings.bi_password.get_secret_value()
    return _kept(settings.data_path) if (settings.data_path / _KEEPER).exists() else None


def _kept(folder: Path) -> str:
    try:
        with PrivateFolder(folder) as private:
            if private.read(_KEEPER) is None:
                private.write(_KEEPER, secrets.token_urlsafe(24))
            return private.read(_KEEPER) or ""
    except NotOurs as error:
        raise SettingsError(str(error)) from None


def _set_password(url: str, password: str) -> None:
    with connection.connect(url) as conn:
        if not bi_role.exists(conn):
            raise SettingsError(f"there is no role {ROLE}: {_ASK}")
        change = sql.SQL("alter role {} password {}").format(
            sql.Identifier(ROLE), sql.Literal(_verifier(conn, password))
        )
        try:
            conn.execute(change)
        except psycopg.errors.InsufficientPrivilege:
            raise SettingsError(f"this user may not change the password of {ROLE}: {_ASK}") from None


def _verifier(conn: psycopg.Connection, password: str) -> str:
    """What the server keeps of a password: no log of its holds the password itself."""
    return conn.pgconn.encrypt_password(password.encode(), ROLE.encode(), b"scram-sha-256").decode()
