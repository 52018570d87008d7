"""Why a sync does not start, or stops. No text here holds a record's content or a password."""

from datetime import datetime

import psycopg


class IngestionError(Exception):
    """A sync could not start or go on, for a reason on this side of the API."""


class AlreadyRunning(IngestionError):
    """Another sync writes to this warehouse. There is one writer at a time.

    Attributes:
        holder: the application name of its connection.
        since: when that connection was opened.
    """

    def __init__(self, holder: str, since: datetime | None) -> None:
        began = f" since {since:%Y-%m-%d %H:%M:%S} UTC" if since else ""
        super().__init__(f"another sync is running: {holder}{began}")
        self.holder = holder
        self.since = since


class StarterRefused(IngestionError):
    """Whoever started it may not; ops.audit_logs has it."""


class SourceMismatch(IngestionError):
    """The warehouse belongs to another kind of source: the sandbox and an account are never mixed."""


class WarehouseFailed(IngestionError):
    """Postgres refused a statement, or the connection to it broke."""

    def __init__(self, error: psycopg.Error) -> None:
        # Postgres' own text quotes the row that it stumbled over.
        super().__init__(f"the warehouse failed: {type(error).__name__} (SQLSTATE {error.sqlstate or 'none'})")
