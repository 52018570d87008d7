"""Passwords of the schema's roles: who logs in as the application, a reader or the supervisors' tool."""

import secrets

import psycopg
from psycopg import sql


class NotRotated(Exception):
    """The password could not be changed; one line that says what to do."""


def rotate(conn: psycopg.Connection, role: str) -> str:
    """Give a role a new password, and let it log in. The server gets its SCRAM verifier alone.

    Args:
        conn: in autocommit, of a user who may change roles.
        role: one of `roles.LOGINS`. Sessions that are open go on; new ones need the new password.

    Returns:
        the password, which is kept nowhere.

    Raises:
        NotRotated: there is no such role, or this user may not change it.
    """
    password = secrets.token_urlsafe(24)
    verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    name = sql.Identifier(role)
    try:
        with conn.transaction():
            conn.execute(sql.SQL("alter role {} login password {}").format(name, sql.Literal(verifier)))
            database = sql.Identifier(conn.info.dbname)
            conn.execute(sql.SQL("grant connect on database {} to {}").format(database, name))
    except psycopg.errors.UndefinedObject:
        raise NotRotated(f"there is no role {role}: run `b2chat rooms upgrade`") from None
    except psycopg.errors.InsufficientPrivilege:
        raise NotRotated(f"this user may not change the role {role}: have an administrator do it") from None
    return password
