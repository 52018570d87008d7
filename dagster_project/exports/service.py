"""Makes an export, start to end: the books are opened, the file is made aside, checked, put in the store, written down.

Whatever stops it, there is no half of a file in the store, and the books say why.
"""

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import psycopg

from dagster_project.exports import export_log
from dagster_project.exports.export_log import Place, Request
from dagster_project.exports.report.data import NoReport
from dagster_project.exports.stores.stores import (
    ExportStore,
    OwnFile,
    StoreFailed,
    make_private,
    manifest_key,
    new_key,
    reason_of,
)
from dagster_project.exports.tables.definitions import NothingToExport
from dagster_project.warehouse import connection, data_source

SCHEMA_VERSION = 1  # of the columns of our exports: it grows when one is renamed or gone
_SUFFIX = {"csv-excel": "csv"}

log = logging.getLogger(__name__)


class ExportFailed(Exception):
    """An export could not be made; one line that says why, and holds no value of the data."""


@dataclass(frozen=True)
class Written:
    """What a writer wrote: its rows, its columns (name, type), and what the manifest is to say besides."""

    rows: int
    columns: list[tuple[str, str]] = field(default_factory=list)
    notes: Mapping[str, Any] = field(default_factory=dict)


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


_Told = ExportFailed | StoreFailed | NothingToExport | NoReport  # one line each, without values of the data
Writer = Callable[[psycopg.Connection, BinaryIO], Written]


def export(
    url: str, store: ExportStore, request: Request, writer: Writer, *, label: str, zone: str, keep: timedelta
) -> Exported:
    """Make one export and keep it in a store.

    Args:
        url: the warehouse.
        store: where to keep it.
        request: who asks for what.
        writer: writes the file, from a connection that sees the warehouse as it is at one instant.
        label: the period and whose chats, as part of the file's name: a-z, 0-9, _ and -.
        zone: the account's time zone, for the manifest.
        keep: how long the store keeps it; a file outside of a store is not ours to delete.

    Raises:
        ExportFailed: the disk is full, the store does not answer, the warehouse is lost; the books say the same.
    """
    suffix = _SUFFIX.get(request.format, request.format)
    key = new_key(request.kind, label, request.run_id or "manual", suffix)
    place = Place(store.name, key, store.place(key), file_name(request, label))
    with connection.connect(url, autocommit=True) as books:
        close_killed(books, store)
        export_id = export_log.begin(books, request, place)
        with _written_down(books, export_id):
            exported = _make(url, store, request, writer, export_id, place, zone, keep)
            # Where the warehouse is lost, nobody knows whether the record stands: the next export looks after it.
            with _taken_back(store, place.key, unless=psycopg.OperationalError):
                export_log.complete(
                    books,
                    export_id,
                    rows=exported.rows,
                    size_bytes=exported.size_bytes,
                    sha256=exported.sha256,
                    expires_at=exported.expires_at,
                )
    log.info("%s: %d rows, %d bytes", exported.place, exported.rows, exported.size_bytes)
    return exported


def file_name(request: Request, label: str) -> str:
    """The name that people see: of what, of which period, about whom."""
    return f"b2chat-{request.kind}-{label}.{_SUFFIX.get(request.format, request.format)}"


def close_killed(books: psycopg.Connection, store: ExportStore) -> int:
    """Write exports whose process died down as failed, and delete what they left in this store.

    Args:
        books: in autocommit.
        store: the one in use; what lies in another one is left.
    """
    killed = export_log.close_killed(books)
    for record in killed:
        folder = Path(record.file_url).parent if record.store == OwnFile.name else store.workshop
        with contextlib.suppress(OSError, StoreFailed):
            _unfinished(folder, record.id).unlink(missing_ok=True)
            if record.store == store.name:
                _delete(store, record.key)
    return len(killed)


def clean_up(books: psycopg.Connection, store: ExportStore, now: datetime) -> tuple[int, int]:
    """Delete the files whose time is over; a record follows its file, and stays where the file could not be deleted.

    Args:
        books: in autocommit.
        store: the one in use; what lies in another one stays, and its record.
        now: the time that counts.

    Returns:
        exports deleted, and exports that stay although their time is over.
    """
    close_killed(books, store)
    deleted = stayed = 0
    for record in export_log.due(books, now):
        try:
            if record.store != store.name:
                raise StoreFailed(f"it lies in {record.store}, and {store.name} is in use")
            _delete(store, record.key)
        except StoreFailed as error:
            log.warning("export %s stays: %s", record.id, error)
            stayed += 1
            continue
        export_log.expire(books, record.id)
        deleted += 1
    return deleted, stayed


def _make(
    url: str,
    store: ExportStore,
    request: Request,
    writer: Writer,
    export_id: str,
    place: Place,
    zone: str,
    keep: timedelta,
) -> Exported:
    with _aside(store.workshop, export_id) as file:
        with _private(file) as out, connection.connect(url) as conn:
            conn.execute("set transaction isolation level repeatable read, read only")
            written, kind = writer(conn, out), data_source.kind_of(conn)
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
            written.rows,
            size,
            sha256,
            expires_at,
            written.notes,
            kind,
        )
        with _taken_back(store, place.key, unless=StoreFailed):
            store.put(place.key, file, place.file_name)
        with _taken_back(store, place.key):
            _put_manifest(store, exported, request, written, zone, file)
    return exported


def _put_manifest(
    store: ExportStore, exported: Exported, request: Request, written: Written, zone: str, file: Path
) -> None:
    """What a reader checks the file by, beside it."""
    manifest = {
        "export_id": exported.id,
        "export_type": request.kind,
        "profile": request.format,
        "language": request.language,
        "file_name": exported.file_name,
        "sha256": exported.sha256,
        "size_bytes": exported.size_bytes,
        "rows": exported.rows,
        "columns": [{"name": name, "type": kind} for name, kind in written.columns],
        "schema_version": SCHEMA_VERSION,
        "data_source": exported.data_source,
        "time_zone": zone,
        "filters": dict(request.filters),
        "analysis_id": request.analysis_id,
        "created_at": datetime.now(UTC),
        "expires_at": exported.expires_at,
        "notes": dict(written.notes),
    }
    with _private(file) as out:
        out.write(json.dumps(manifest, default=str, ensure_ascii=False, indent=1).encode())
    store.put(manifest_key(exported.key), file, f"{exported.file_name}.json")


@contextlib.contextmanager
def _taken_back(store: ExportStore, key: str, unless: type[Exception] | None = None) -> Iterator[None]:
    """Whatever stops this leaves no file in the store that the books do not know."""
    try:
        yield
    except BaseException as error:
        if not (unless and isinstance(error, unless)):
            with contextlib.suppress(StoreFailed):
                _delete(store, key)
        raise


@contextlib.contextmanager
def _written_down(books: psycopg.Connection, export_id: str) -> Iterator[None]:
    """What stops an export is written in the books, and told in one line."""
    try:
        yield
    except Exception as error:
        reason = _reason(error)
        with contextlib.suppress(psycopg.Error):  # then the next export closes it
            export_log.fail(books, export_id, reason)
        if isinstance(error, psycopg.Error | _Told):
            raise ExportFailed(reason) from None
        raise
    except BaseException:
        with contextlib.suppress(psycopg.Error):
            export_log.fail(books, export_id, "it was stopped")
        raise


def _reason(error: Exception) -> str:
    if isinstance(error, _Told):
        return str(error)
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return "the marts are not built, or by an older version: run `b2chat build`"
    if isinstance(error, psycopg.Error):
        # Postgres' own text may hold values of the data.
        return f"the warehouse said {type(error).__name__} ({error.sqlstate or 'connection lost'})"
    return f"{type(error).__name__}: see the log"


@contextlib.contextmanager
def _aside(workshop: Path, export_id: str) -> Iterator[Path]:
    """The path of the unfinished file, which is gone at the end, however it ends."""
    file = _unfinished(workshop, export_id)
    try:
        make_private(workshop)
        yield file
    except OSError as error:
        raise ExportFailed(reason_of(error, workshop)) from None
    finally:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _unfinished(workshop: Path, export_id: str) -> Path:
    return workshop / f".{export_id}.part"


def _private(file: Path) -> Any:
    """The file, made new and open to its owner alone."""
    file.unlink(missing_ok=True)
    return os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def _delete(store: ExportStore, key: str) -> None:
    """The file, then what tells of it."""
    store.delete(key)
    store.delete(manifest_key(key))
