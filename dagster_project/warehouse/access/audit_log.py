"""The audit log (ops.audit_logs): who did what, to which thing, from where, and whether they could.

Users, settings, labels, analyses and exports are audited by triggers (`ops.audit_change`, migration 0032), whoever
changes them. The rest is recorded here, by whoever does it and in the transaction that does it: an event of what was
rolled back is gone with it. The server fills in the time, the address, the login and the session.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

Severity = Literal["low", "medium", "high", "critical"]
Action = Literal["create", "read", "update", "delete", "export", "start", "complete"]
_MAX_LENGTH = 200  # characters of a text in metadata: it is for names and ids, and no message of anybody fits in


class Event(NamedTuple):
    """What an event is by default."""

    severity: Severity
    action: Action | None


EVENT_TYPES: dict[str, Event] = {
    # of the data dictionary
    "auth.login": Event("low", None),
    "auth.logout": Event("low", None),
    "auth.failed_login": Event("high", None),
    "data.read": Event("low", "read"),
    "data.export": Event("medium", "export"),
    "data.search": Event("low", "read"),
    "data.create": Event("medium", "create"),
    "data.update": Event("medium", "update"),
    "data.delete": Event("high", "delete"),
    "sync.start": Event("low", "start"),
    "sync.complete": Event("low", "complete"),
    "settings.update": Event("high", "update"),
    "permission.denied": Event("high", None),
    "unauthorized.access": Event("critical", None),
    # ours
    "job.start": Event("medium", "start"),
    "export.start": Event("medium", "create"),
    "export.link": Event("medium", "read"),
    "export.mail": Event("medium", "export"),
    "export.expire": Event("medium", "update"),
    "export.person": Event("high", "export"),
    "erasure.start": Event("high", "delete"),
    "erasure.complete": Event("high", "delete"),
    "erasure.dry_run": Event("medium", "read"),
    "backup.complete": Event("medium", "complete"),
    "backup.copy": Event("medium", "export"),
    "backup.delete": Event("medium", "delete"),
    "restore.start": Event("critical", "start"),
    "restore.complete": Event("critical", "complete"),
    "login.create": Event("high", "create"),
    "login.update": Event("high", "update"),
    "login.delete": Event("high", "delete"),
}


class AuditLogOpen(Exception):
    """Rows of the audit log can be changed."""


def record(
    conn: psycopg.Connection,
    event_type: str,
    *,
    severity: Severity | None = None,
    action: str | None = None,
    resource: str | None = None,
    resource_id: object = None,
    user: str | None = None,
    success: bool = True,
    metadata: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    error_message: str | None = None,
    request_id: str | None = None,
    correlation_id: str | None = None,
    session_id: str | None = None,
    ip_address: str | None = None,
    user_agent: str | None = None,
) -> str:
    """Record an event, in the caller's transaction.

    Args:
        event_type: one of `EVENT_TYPES`.
        severity: default: the event's.
        action: default: the event's.
        resource: the kind of thing that it was done to, such as "export".
        resource_id: which one. Never a phone number, an address or a name.
        user: a user's id or e-mail address; "" where nobody knows. Default: the session's (`acting`), else its login.
        success: whether it could be done.
        metadata: counts, names of ours and ids; no message text, no phone number, no secret.
        details: the same, of what changed.
        error_message: one line of ours, without values of the data.
        request_id: of a request from outside.
        correlation_id: of what it belongs to: a sync, a run.
        session_id: default: the database session's.
        ip_address: of a web request. Default: of the database session.
        user_agent: of a web request. Default: the session's application.

    Returns:
        the row's id.

    Raises:
        ValueError: no such event, or a text too long to be a name.
    """
    if event_type not in EVENT_TYPES:
        raise ValueError(f"{event_type} is no event of the audit log")
    _require_names(metadata, details)
    default = EVENT_TYPES[event_type]
    named = resource if resource_id is None else f"{resource}:{resource_id}"
    row = conn.execute(
        """
        select ops.audit(
            %s, %s, %s, %s, coalesce(%s, nullif(current_setting('b2chat.user', true), '')), %s, %s, %s, %s, %s, %s, %s,
            %s, %s)
        """,
        [
            event_type,
            severity or default.severity,
            action or default.action,
            named,
            user,
            success,
            Jsonb(dict(details)) if details else None,
            Jsonb(dict(metadata)) if metadata else None,
            error_message,
            request_id,
            correlation_id,
            session_id,
            ip_address,
            user_agent and user_agent[:_MAX_LENGTH],
        ],
    ).fetchone()
    assert row is not None
    return str(row[0])


def acting(conn: psycopg.Connection, user: str) -> None:
    """Say who acts in this session from now on: what triggers record is that user's."""
    conn.execute("select set_config('b2chat.user', %s, false)", [user])


def newest(
    conn: psycopg.Connection, *, user: str | None = None, event_type: str | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """The newest events, newest first.

    Args:
        user: only of the user of this id or e-mail address.
        event_type: only of this kind, or of all that begin so: "sync.".
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """
            select "timestamp", event_type, severity, user_id, action, resource, success, ip_address, error_message,
                details, metadata
            from ops.audit_logs
            where (%(user)s::text is null or user_id = %(user)s or user_email = lower(%(user)s))
                and (%(event)s::text is null or starts_with(event_type, %(event)s))
            order by "timestamp" desc limit %(limit)s
            """,
            {"user": user, "event": event_type, "limit": limit},
        ).fetchall()


def check(conn: psycopg.Connection) -> str:
    """One line about the log.

    Raises:
        AuditLogOpen: somebody has taken away what keeps its rows from being changed; the text says where.
    """
    months = conn.execute(
        """
        select relid::regclass::text, exists (
            select from pg_trigger where tgrelid = relid and tgname = 'audit_logs_are_kept' and tgenabled = 'A'
        )
        from pg_partition_tree('ops.audit_logs') order by 1
        """
    ).fetchall()
    if unguarded := [name for name, is_guarded in months if not is_guarded]:
        raise AuditLogOpen(
            f"rows of {', '.join(unguarded)} can be changed: its trigger audit_logs_are_kept is gone or disabled"
        )
    return f"{len(months) - 1} months, none of which can be changed"


def _require_names(*given: object) -> None:
    for value in given:
        if isinstance(value, str) and len(value) > _MAX_LENGTH:
            raise ValueError(f"a text of more than {_MAX_LENGTH} characters has no place in the audit log")
        if isinstance(value, Mapping):
            _require_names(*value.values())
        elif isinstance(value, list | tuple):
            _require_names(*value)
