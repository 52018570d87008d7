"""Makes an export, start to end: a log entry, the file in a scratch folder, its hash, the store, the log again.

Whatever stops it, there is no half of a file in the store, and the log says why.
"""

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import psycopg

from dagster_project.exports import export_log
from dagster_project.exports.errors import ExportFailed
from dagster_project.exports.export_log import LogEntry, Place
from dagster_project.exports.formats.format import WriteResult
from dagster_project.exports.formats.registry import FORMATS
from dagster_project.exports.report.period import NoReport
from dagster_project.exports.stores.contract import (
    ExportStore,
    StoreFailed,
    make_private,
    manifest_key,
    new_key,
    reason_of,
)
from dagster_project.exports.stores.own_file import OwnFile
from dagster_project.exports.tables.table import NothingToExport
from dagster_project.warehouse import connection, data_source

SCHEMA_VERSION = 1  # of the columns of our exports: it grows when one is renamed or gone

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exported:
    """An export that is there to be read."""

    id: str
    store: str
    key: str
    place: str
    file_name: str
    rows: int
    size_bytes: int
    sha256: str
    expires_at: datetime | None
    notes: Mapping[str, Any]
    data_source: data_source.Kind | None


_Explained = ExportFailed | StoreFailed | NothingToExport | NoReport  # one line each, without values of the data
Writer = Callable[[psycopg.Connection, BinaryIO], WriteResult]


def export(
    url: str, store: ExportStore, entry: LogEntry, writer: Writer, *, label: str, zone: str, keep: timedelta
) -> Exported:
    """Make one export and keep it in a store.

    Args:
        url: the warehouse.
        store: where to keep it.
        entry: who asks for what.
        writer: writes the file, from a connection that sees the warehouse as it is at one instant.
        label: the period and whose chats, as part of the file's name: a-z, 0-9, _ and -.
        zone: the account's time zone, for the manifest.
        keep: how long the store keeps it; a file outside of a store is not ours to delete.

    Raises:
        ExportFailed: the disk is full, the store does not answer, the warehouse is lost; the log says the same.
    """
    key = new_key(entry.kind, label, entry.run_id or "manual", FORMATS[entry.format].suffix)
    place = Place(store.name, key, store.place(key), file_name(entry, label))
    with connection.connect(url, autocommit=True) as log_conn:
        fail_abandoned(log_conn, store)
        export_id = export_log.begin(log_conn, entry, place)
        with _failure_logged(log_conn, export_id):
            exported = _make(url, store, entry, writer, export_id, place, zone, keep)
            # Where the warehouse is lost, nobody knows whether the entry was completed: the next export looks after it.
            with _deleted_on_failure(store, place.key, unless=psycopg.OperationalError):
                export_log.complete(
                    log_conn,
                    export_id,
                    rows=exported.rows,
                    size_bytes=exported.size_bytes,
                    sha256=exported.sha256,
                    expires_at=exported.expires_at,
                )
    log.info("%s: %d rows, %d bytes", exported.place, exported.rows, exported.size_bytes)
    return exported


def file_name(entry: LogEntry, label: str) -> str:
    """The name that people see: of what, of which period, about whom."""
    return f"b2chat-{entry.kind}-{label}.{FORMATS[entry.format].suffix}"


def fail_abandoned(conn: psycopg.Connection, store: ExportStore) -> int:
    """Log exports whose process died as failed, and delete what they left in this store.

    Args:
        conn: in autocommit.
        store: the one in use; what lies in another one is left.
    """
    abandoned = export_log.fail_abandoned(conn)
    for logged in abandoned:
        folder = Path(logged.file_url).parent if logged.store == OwnFile.NAME else store.scratch
        with contextlib.suppress(OSError, StoreFailed):
            _unfinished(folder, logged.id).unlink(missing_ok=True)
            if logged.store == store.name:
                delete(store, logged.key)
    return len(abandoned)


def clean_up(conn: psycopg.Connection, store: ExportStore, now: datetime) -> tuple[int, int]:
    """Delete the files whose time is over; a log entry follows its file, and stays where that could not be deleted.

    Args:
        conn: in autocommit.
        store: the one in use; what lies in another one stays, and its logged.
        now: the time that counts.

    Returns:
        exports deleted, and exports that stay although their time is over.
    """
    fail_abandoned(conn, store)
    deleted = stayed = 0
    for logged in export_log.due(conn, now):
        try:
            if logged.store != store.name:
                raise StoreFailed(f"it lies in {logged.store}, and {store.name} is in use")
            delete(store, logged.key)
        except StoreFailed as error:
            log.warning("export %s stays: %s", logged.id, error)
            stayed += 1
            continue
        export_log.expire(conn, logged.id)
        deleted += 1
    return deleted, stayed


def _make(
    url: str,
    store: ExportStore,
    entry: LogEntry,
    writer: Writer,
    export_id: str,
    place: Place,
    zone: str,
    keep: timedelta,
) -> Exported:
    with _scratch_file(store.scratch, export_id) as file:
        with _private(file) as out, connection.connect(url) as conn:
            conn.execute("set transaction isolation level repeatable read, read only")
            result, kind = writer(conn, out), data_source.kind_of(conn)
            out.flush()
            os.fsync(out.fileno())
        with file.open("rb") as source:
            sha256 = hashlib.file_digest(source, "sha256").hexdigest()
        size = file.stat().st_size
        expires_at = None if isinstance(store, OwnFile) else datetime.now(UTC) + keep
        exported = Exported(
            export_id,
            store.name,
            place.key,
            place.url,
            place.file_name,
            result.rows,
            size,
            sha256,
            expires_at,
            result.notes,
            kind,
        )
        with _deleted_on_failure(store, place.key, unless=StoreFailed):
            store.put(place.key, file, place.file_name, FORMATS[entry.format].media_type)
        with _deleted_on_failure(store, place.key):
            _put_manifest(store, exported, entry, result, zone, file)
    return exported


def _put_manifest(
    store: ExportStore, exported: Exported, entry: LogEntry, result: WriteResult, zone: str, file: Path
) -> None:
    """What a reader checks the file by, beside it."""
    manifest = {
        "export_id": exported.id,
        "export_type": entry.kind,
        "profile": entry.format,
        "language": entry.language,
        "file_name": exported.file_name,
        "sha256": exported.sha256,
        "size_bytes": exported.size_bytes,
        "rows": exported.rows,
        "columns": [{"name": name, "type": kind} for name, kind in result.columns],
        "schema_version": SCHEMA_VERSION,
        "data_source": exported.data_source,
        "time_zone": zone,
        "filters": dict(entry.filters),
        "analysis_id": entry.analysis_id,
        "created_at": datetime.now(UTC),
        "expires_at": exported.expires_at,
        "notes": dict(result.notes),
    }
    with _private(file) as out:
        out.write(json.dumps(manifest, default=str, ensure_ascii=False, indent=1).encode())
    store.put(manifest_key(exported.key), file, f"{exported.file_name}.json", "application/json")


@contextlib.contextmanager
def _deleted_on_failure(store: ExportStore, key: str, unless: type[Exception] | None = None) -> Iterator[None]:
    """Whatever stops this leaves no file in the store that the log does not know."""
    try:
        yield
    except BaseException as error:
        if not (unless and isinstance(error, unless)):
            with contextlib.suppress(StoreFailed):
                delete(store, key)
        raise


@contextlib.contextmanager
def _failure_logged(conn: psycopg.Connection, export_id: str) -> Iterator[None]:
    """What stops an export is logged, and raised in one line."""
    try:
        yield
    except Exception as error:
        reason = _reason(error)
        with contextlib.suppress(psycopg.Error):  # then the next export closes it
            export_log.fail(conn, export_id, reason)
        if isinstance(error, psycopg.Error | _Explained):
            raise ExportFailed(reason) from None
        raise
    except BaseException:
        with contextlib.suppress(psycopg.Error):
            export_log.fail(conn, export_id, "it was stopped")
        raise


def _reason(error: Exception) -> str:
    if isinstance(error, _Explained):
        return str(error)
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return "the marts are not built, or by an older version: run `b2chat build`"
    if isinstance(error, psycopg.Error):
        # Postgres' own text may hold values of the data.
        return f"the warehouse answered {type(error).__name__} ({error.sqlstate or 'connection lost'})"
    return f"{type(error).__name__}: see the log"


@contextlib.contextmanager
def _scratch_file(scratch: Path, export_id: str) -> Iterator[Path]:
    """The path of the unfinished file, which is gone at the end, however it ends."""
    file = _unfinished(scratch, export_id)
    try:
        make_private(scratch)
        yield file
    except OSError as error:
        raise ExportFailed(reason_of(error, scratch)) from None
    finally:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _unfinished(scratch: Path, export_id: str) -> Path:
    return scratch / f".{export_id}.part"


def _private(file: Path) -> Any:
    """The file, made new and open to its owner alone."""
    file.unlink(missing_ok=True)
    return os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def delete(store: ExportStore, key: str) -> None:
    """Delete the file of an export, then its manifest. Raises StoreFailed."""
    store.delete(key)
    store.delete(manifest_key(key))
