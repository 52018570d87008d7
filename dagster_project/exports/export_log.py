"""The log of exports: ops.export_logs, a row each from the moment that it begins, and analysis.analysis_exports.

A session holds a lock on the export that it makes: so one whose process died can be told from one that is running.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from dagster_project.exports.i18n.language import Language
from dagster_project.warehouse import locks

OfRooms = Literal["rooms", "escalations"]
OfCalls = Literal["calls", "visits", "funnel", "coverage", "staffing"]
Kind = Literal["report", "analysis", "table", "chats", "agents", "kpis", "conversations", OfRooms, OfCalls]

_KILLED = "it ended before it was done: its process was killed, or lost the warehouse"
_KIND = "export"  # of the lock


class NoSuchExport(Exception):
    """There is no export of that id whose file can be read; the text says why."""


@dataclass(frozen=True)
class LogEntry:
    """Who asks for what."""

    kind: Kind
    format: str
    user: str
    language: Language = "es"
    filters: Mapping[str, Any] = field(default_factory=dict)
    analysis_id: str | None = None
    run_id: str | None = None


@dataclass(frozen=True)
class Place:
    """Where the file of an export will lie."""

    store: str
    key: str
    url: str
    file_name: str


@dataclass(frozen=True)
class LoggedExport:
    """An export in the log, with where its file lies."""

    id: str
    store: str
    key: str
    file_url: str
    status: str


def begin(conn: psycopg.Connection, entry: LogEntry, place: Place) -> str:
    """Log an export as running, and hold its lock for as long as the connection lasts.

    Args:
        conn: in autocommit.
        entry: who asks for what.
        place: where its file will be.

    Returns:
        its id.
    """
    export_id = str(uuid.uuid4())
    locks.take(conn, _KIND, export_id)
    conn.execute(
        """
        insert into ops.export_logs (
            id, user_id, export_type, format, language, filters, analysis_id, run_id,
            file_name, file_url, store, key, status
        ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'processing')
        """,
        [
            export_id,
            entry.user,
            entry.kind,
            entry.format,
            entry.language,
            Jsonb(dict(entry.filters)),
            entry.analysis_id,
            entry.run_id,
            place.file_name,
            place.url,
            place.store,
            place.key,
        ],
    )
    return export_id


def complete(
    conn: psycopg.Connection, export_id: str, *, rows: int, size_bytes: int, sha256: str, expires_at: datetime | None
) -> None:
    """Log an export as completed; that of an analysis is listed with the analysis too."""
    with conn.transaction():
        conn.execute(
            """
            update ops.export_logs
            set status = 'completed', completed_at = now(), record_count = %s, size_bytes = %s, sha256 = %s,
                expires_at = %s
            where id = %s
            """,
            [rows, size_bytes, sha256, expires_at, export_id],
        )
        conn.execute(
            """
            insert into analysis.analysis_exports
                (id, analysis_id, format, file_name, blob_url, blob_key, generated_by, file_size_bytes, expires_at)
            select
                logs.id, logs.analysis_id, upper(split_part(logs.format, '-', 1)), logs.file_name, logs.file_url,
                logs.key, logs.user_id, logs.size_bytes, logs.expires_at
            from ops.export_logs as logs
            inner join analysis.customer_analyses as analyses on logs.analysis_id = analyses.id
            where logs.id = %s
            """,
            [export_id],
        )
    locks.release(conn, _KIND, export_id)


def fail(conn: psycopg.Connection, export_id: str, reason: str) -> None:
    """Log an export as failed.

    Args:
        conn: in autocommit.
        export_id: which.
        reason: one line, without values of the data.
    """
    conn.execute(
        "update ops.export_logs set status = 'failed', completed_at = now(), error_message = %s where id = %s",
        [reason, export_id],
    )
    locks.release(conn, _KIND, export_id)


def fail_abandoned(conn: psycopg.Connection) -> list[LoggedExport]:
    """Log as failed each running export that no session holds any more.

    Returns:
        them, so that what they left can be deleted.
    """
    with conn.transaction(), conn.cursor(row_factory=class_row(LoggedExport)) as cursor:
        unfinished = conn.execute("select id from ops.export_logs where status in ('pending', 'processing')").fetchall()
        return cursor.execute(
            """
            update ops.export_logs
            set status = 'failed', completed_at = now(), error_message = %s
            where id = any(%s) and status in ('pending', 'processing')
            returning id, store, key, file_url, status
            """,
            [_KILLED, locks.free(conn, _KIND, [row[0] for row in unfinished])],
        ).fetchall()


def due(conn: psycopg.Connection, now: datetime) -> list[LoggedExport]:
    """The exports whose file is to go: their time is over, or their analysis is gone."""
    with conn.cursor(row_factory=class_row(LoggedExport)) as cursor:
        return cursor.execute(
            """
            select id, store, key, file_url, status
            from ops.export_logs as logs
            where status = 'completed'
                and expires_at is not null
                and (
                    expires_at <= %s
                    or (
                        logs.analysis_id is not null
                        and not exists (select from analysis.analysis_exports where analysis_exports.id = logs.id)
                    )
                )
            order by expires_at
            """,
            [now],
        ).fetchall()


def expire(conn: psycopg.Connection, export_id: str) -> None:
    """Log that an export's file was deleted, and take it off its analysis' list."""
    with conn.transaction():
        conn.execute("delete from analysis.analysis_exports where id = %s", [export_id])
        conn.execute("update ops.export_logs set status = 'expired' where id = %s", [export_id])


def readable(conn: psycopg.Connection, beginning: str) -> LoggedExport:
    """The completed export whose id begins so.

    Raises:
        NoSuchExport: there is none, there are several, or it is not there to be read.
    """
    with conn.cursor(row_factory=class_row(LoggedExport)) as cursor:
        found = cursor.execute(
            "select id, store, key, file_url, status from ops.export_logs where starts_with(id, %s) limit 2",
            [beginning.lower()],
        ).fetchall()
    if len(found) != 1:
        raise NoSuchExport(f"{'several exports have' if found else 'no export has'} an id that begins so")
    if found[0].status != "completed":
        raise NoSuchExport(f"that export is {found[0].status}: there is no file to read")
    return found[0]


def listed(conn: psycopg.Connection, limit: int) -> list[dict[str, Any]]:
    """The newest exports, whatever became of them, as plain values."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """
            select id, created_at, user_id, export_type, format, status, record_count, size_bytes, file_name, file_url,
                   sha256, expires_at, error_message
            from ops.export_logs order by created_at desc, id limit %s
            """,
            [limit],
        ).fetchall()
