"""The users (ops.users): who starts syncs, analyses, exports and labels, and who may.

Whoever starts something and is not known becomes a user of kind service by the database itself (`ops.user_of`,
migration 0032): the account of a command line, Dagster. People are introduced by `b2chat users add`.
"""

import os
import pwd
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import psycopg
from psycopg.rows import class_row

from dagster_project.warehouse.access import audit_log

Role = Literal["Manager", "Admin"]
_COLUMNS = "id, email, name, role, kind, created_at, disabled_at"
_ADDRESS = re.compile(r"[^@\s<>,;:\"]+@[A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class User:
    """A person, or a program.

    Attributes:
        id: what other tables name the user by.
        email: in lower case.
        role: Manager: reads, and asks for analyses, exports and labels. Admin: all.
        kind: person, or service: a program, or whoever nobody has introduced.
        disabled_at: since when the user may start nothing.
    """

    id: str
    email: str
    name: str | None
    role: Role
    kind: Literal["person", "service"]
    created_at: datetime
    disabled_at: datetime | None


class WrongUser(Exception):
    """No such user, or one that cannot be made so; one line."""


class NotAllowed(Exception):
    """Somebody may not do what they began; one line. It is in the audit log."""


def account() -> str:
    """Who runs this process: the name of its account, which no environment variable can change."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container that runs as a number
        return f"uid-{os.getuid()}"


def of(conn: psycopg.Connection, starter: str) -> str:
    """The id of whoever starts something; who is not known becomes a service."""
    row = conn.execute("select ops.user_of(%s)", [starter]).fetchone()
    assert row is not None
    return str(row[0])


def find(conn: psycopg.Connection, who: str) -> User | None:
    """The user of this id or e-mail address."""
    with conn.cursor(row_factory=class_row(User)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from ops.users where id = %s or email = %s order by id = %s desc limit 1",  # noqa: S608
            [who.strip(), who.strip().lower(), who.strip()],
        ).fetchone()


def listed(conn: psycopg.Connection) -> list[User]:
    """All users: people first, and those who may start something."""
    with conn.cursor(row_factory=class_row(User)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from ops.users order by disabled_at is not null, kind, id"  # noqa: S608
        ).fetchall()


def add(
    conn: psycopg.Connection,
    email: str,
    role: Role,
    *,
    name: str | None = None,
    user_id: str | None = None,
    kind: Literal["person", "service"] = "person",
) -> User:
    """Introduce somebody. Whoever was a service by the same address or id until now keeps what they did.

    Args:
        email: the address, unique.
        user_id: default: what stands before the @, which often is the account's name.

    Raises:
        WrongUser: the address is none, or is somebody's; the id is somebody's.
    """
    address, wanted = email.strip().lower(), (user_id or email.split("@")[0]).strip()
    if not _ADDRESS.fullmatch(address) or not wanted:
        raise WrongUser(f"{email!r} is no e-mail address, such as ana@example.com")
    known = find(conn, address) or find(conn, wanted)
    if known is None:
        conn.execute(
            "insert into ops.users (id, email, name, role, kind) values (%s, %s, %s, %s, %s)",
            [wanted, address, name, role, kind],
        )
    elif known.kind == "service" and user_id in (None, known.id):
        wanted = known.id
        conn.execute(
            "update ops.users set email = %s, name = %s, role = %s, kind = %s, updated_at = now() where id = %s",
            [address, name, role, kind, known.id],
        )
    else:
        raise WrongUser(f"there is a user {known.id} with the address {known.email}: choose another with --id")
    return _known(conn, wanted)


def change(conn: psycopg.Connection, who: str, *, role: Role | None = None, disabled: bool | None = None) -> User:
    """Give a user another role, or let them start nothing, or something again.

    Raises:
        WrongUser: there is no such user.
    """
    user = _known(conn, who)
    conn.execute(
        """
        update ops.users set
            role = coalesce(%(role)s, role),
            disabled_at = case %(disabled)s::boolean when true then coalesce(disabled_at, now()) when false then null
                else disabled_at end,
            updated_at = now()
        where id = %(id)s
        """,
        {"role": role, "disabled": disabled, "id": user.id},
    )
    return _known(conn, user.id)


def require(conn: psycopg.Connection, who: str, doing: str, *, role: Role = "Manager") -> None:
    """That somebody may do something. Who is not known may: they hold the warehouse's own login.

    Args:
        conn: in autocommit, or a transaction whose end is this call's refusal.
        who: an id or an e-mail address.
        doing: what, in an infinitive: "start a sync".
        role: the least that a person needs for it.

    Raises:
        NotAllowed: the user is disabled, or a person of a lesser role. That is in the audit log, whatever the
            transaction comes to.
    """
    user = find(conn, who)
    if user is None:
        return
    if user.disabled_at:
        reason = f"{user.id} is disabled"
    elif user.kind == "person" and role == "Admin" and user.role != "Admin":
        reason = f"{user.id} is {user.role}, and it takes an Admin"
    else:
        return
    if not conn.autocommit:
        conn.rollback()
    audit_log.record(
        conn, "permission.denied", user=user.id, success=False, metadata={"doing": doing}, error_message=reason
    )
    if not conn.autocommit:
        conn.commit()
    raise NotAllowed(f"{user.id} may not {doing}: {reason}")


def require_admin(conn: psycopg.Connection, named: str, doing: str) -> str | None:
    """That whoever started something where nobody logs in has named an Admin, who answers for it.

    Where there is no Admin yet there is nobody to name.

    Args:
        conn: in autocommit.
        named: an id or an e-mail address; "" for nobody.
        doing: what, in an infinitive.

    Returns:
        the Admin's id; None where there is no Admin.

    Raises:
        NotAllowed: nobody is named, nobody is called so, or no Admin is. That is in the audit log.
    """
    if user := named.strip() and find(conn, named):
        if user.kind == "person":
            require(conn, user.id, doing, role="Admin")
            return user.id
        reason = f"{user.id} is a service, and it takes an Admin"
    else:
        query = "select exists (select from ops.users where kind = 'person' and role = 'Admin' and disabled_at is null)"
        if not named.strip() and conn.execute(query).fetchone() == (False,):
            return None
        reason = "there is no such user" if named.strip() else "no Admin is named in its config"
    audit_log.record(
        conn,
        "permission.denied",
        user=user.id if user else "dagster",
        success=False,
        metadata={"doing": doing},
        error_message=reason,
    )
    raise NotAllowed(f"to {doing} by hand, name an Admin in the field `admin` of the config: {reason}")


def _known(conn: psycopg.Connection, who: str) -> User:
    user = find(conn, who)
    if user is None:
        raise WrongUser(f"there is no user {who}: `b2chat users list` shows who there is")
    return user
