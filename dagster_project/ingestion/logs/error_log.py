"""Faults of syncs, written down safely (ops.error_logs): no content, no secret, no values of variables."""

import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.ingestion.errors import IngestionError
from dagster_project.sources.contract import SourceError

_PACKAGE = Path(__file__).resolve().parents[2]


def safe_reason(error: BaseException) -> str:
    """What an error says, where it is one of ours; of others only the kind: their texts may quote a record."""
    return str(error) if isinstance(error, SourceError | IngestionError) else type(error).__name__


def note_failure(conn: psycopg.Connection, sync_id: str, error: BaseException, **metadata: Any) -> None:
    """Write down what a sync failed with; for a request that was retried, how often."""
    if isinstance(error, SourceError):
        metadata |= {"endpoint": error.endpoint, "window": error.window, "attempts": error.attempts}
    _insert(conn, "error", safe_reason(error), type(error).__name__, sync_id, metadata, _own_frames(error))


def note_warning(conn: psycopg.Connection, sync_id: str, code: str, message: str, **metadata: Any) -> None:
    """Write down what a sync lived through, but somebody should know of."""
    _insert(conn, "warn", message, code, sync_id, metadata)


def note_refused(conn: psycopg.Connection, asked: str, error: IngestionError) -> None:
    """Write down that somebody was not let in: no sync has begun, so it belongs to none."""
    _insert(conn, "warn", safe_reason(error), type(error).__name__, None, {"asked": asked})


def note_killed(conn: psycopg.Connection, sync_id: str, entity: str) -> None:
    """Write down that a sync ended without a word: it was killed, or the machine was."""
    _insert(conn, "error", f"the sync of {entity} did not finish", "DidNotFinish", sync_id, {"entity": entity})


def _insert(
    conn: psycopg.Connection,
    level: Literal["error", "warn"],
    message: str,
    code: str,
    sync_id: str | None,
    metadata: dict[str, Any],
    stack_trace: str | None = None,
) -> None:
    now = datetime.now(UTC)
    conn.execute(
        """
        insert into ops.error_logs (
            timestamp, level, message, error_code, stack_trace, correlation_id, source, metadata, created_at)
        values (%s, %s, %s, %s, %s, %s, 'sync', %s, %s)
        """,
        (now, level, message, code, stack_trace, sync_id, Jsonb(metadata), now),
    )


def _own_frames(error: BaseException) -> str | None:
    """Where it happened, in this project's files only: places, without the lines' text."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _PACKAGE in Path(frame.filename).parents]
    return (
        "\n".join(
            f"{Path(frame.filename).relative_to(_PACKAGE.parent)}:{frame.lineno} in {frame.name}" for frame in frames
        )
        or None
    )
