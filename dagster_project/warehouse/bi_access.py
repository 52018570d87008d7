"""BI's way in: the role `bi_reader`, which a migration makes, its password, and what it may read."""

import contextlib
import secrets
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import connection

ROLE = "bi_reader"
MAKE_IT = f"create role {ROLE} login; grant {ROLE} to {{user}}"

_ELSEWHERE = """
    select format('%%I.%%I', nspname, relname)
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'v', 'm', 'p')
        and nspname in ('raw', 'ops', 'staging', 'intermediate', 'core', 'analysis', 'dagster')
        and has_schema_privilege(%(role)s, pg_namespace.oid, 'usage')
        and has_table_privilege(%(role)s, pg_class.oid, 'select')
    order by 1
    limit 1
"""
_MARTS = """
    select count(*), count(*) filter (where has_table_privilege(%(role)s, pg_class.oid, 'select'))
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'v') and nspname = 'marts'
"""


class BiAccessWrong(Exception):
    """The role can read less or more than the marts; the text says what, and what to do."""


def url_with_password(settings: Settings, url: str) -> str:
    """The address for BI tools, with a password that opens it.

    The password is that of the settings, else one that is made at the first call and kept in the data folder. It goes
    to the server as a SCRAM verifier, so that no log of the server's holds it.

    Raises:
        SettingsError: there is no such role, or this user may not give it a password.
    """
    password = settings.bi_password.get_secret_value() if settings.bi_password else _kept(settings.data_path)
    wanted = _url(url, password)
    if not _opens(wanted):
        _set_password(url, password)
    return wanted


def examine(url: str) -> str:
    """One line about BI's access.

    Raises:
        BiAccessWrong: the role reads less or more than the marts.
    """
    with connection.connect(url) as conn:
        if not _exists(conn):
            wanted = MAKE_IT.format(user=conn.info.user)
            return f"none: this user may not create roles; have an administrator run `{wanted}`, then `b2chat build`"
        found = conn.execute(_ELSEWHERE, {"role": ROLE}).fetchone()
        if found:
            raise BiAccessWrong(f"{ROLE} can read {found[0]}: revoke what was granted to it beyond the schema marts")
        marts, readable = conn.execute(_MARTS, {"role": ROLE}).fetchone() or (0, 0)
    if readable < marts:
        raise BiAccessWrong(f"{ROLE} can read {readable} of {marts} marts: run `b2chat build`, which grants the rest")
    shown = connection.without_password(_url(url, "password"))
    return f"{shown} reads {marts} marts (`b2chat db bi-url` prints it with the password)"


def _url(url: str, password: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{ROLE}:{quote(password, '')}@{place}"))


def _kept(folder: Path) -> str:
    keeper = folder / "bi_password"
    if not keeper.exists():
        folder.mkdir(parents=True, exist_ok=True)
        keeper.touch(mode=0o600)
        keeper.write_text(secrets.token_urlsafe(24))
    return keeper.read_text()


def _opens(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        connection.connect(url).close()
        return True
    return False


def _set_password(url: str, password: str) -> None:
    with connection.connect(url) as conn:
        if not _exists(conn):
            raise SettingsError(f"there is no role {ROLE}: `b2chat check` says how to make it")
        verifier = conn.pgconn.encrypt_password(password.encode(), ROLE.encode(), b"scram-sha-256").decode()
        try:
            conn.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(ROLE), sql.Literal(verifier)))
        except psycopg.errors.InsufficientPrivilege:
            raise SettingsError(
                f"this user may not change {ROLE}: have an administrator set its password to B2CHAT_BI_PASSWORD"
            ) from None


def _exists(conn: psycopg.Connection) -> bool:
    return conn.execute("select from pg_roles where rolname = %s", [ROLE]).fetchone() is not None
