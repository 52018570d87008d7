"""The second source: files of the console's audit export in a folder, each landed whole or not at all, once."""

import hashlib
import json
import logging
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.ingestion.errors import IngestionError, WarehouseFailed
from dagster_project.ingestion.single_writer import writer
from dagster_project.sources.b2chat_audit.archive import ARCHIVES, unpack
from dagster_project.sources.b2chat_audit.files import (
    FORMATS,
    WINDOWS_1252,
    AuditFileError,
    AuditRow,
    encoding_of,
    read_audit_file,
)
from dagster_project.sources.contract import Rejected

log = logging.getLogger(__name__)


class AuditFolderMissing(IngestionError):
    """The folder of the audit export is not there."""


@dataclass(slots=True)
class AuditResult:
    """What became of a folder's files, and of the rows of the new ones.

    Attributes:
        files_new: files that have landed now.
        files_known: files whose content had landed before.
        rows: rows of the new files; `new`, `duplicates` and `quarantined` add up to it.
        duplicates: rows whose message an earlier file had brought.
        load_id: the newest load that brought something; None when no file was new.
        failed: a text for each file that is no readable audit export. It is tried again next time.
        notes: a text for each new file that was not read as UTF-8.
    """

    files_new: int = 0
    files_known: int = 0
    rows: int = 0
    new: int = 0
    duplicates: int = 0
    quarantined: int = 0
    load_id: int | None = None
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def land_audit_files(url: str, folder: Path | str, *, triggered_by: str) -> AuditResult:
    """Land the CSV and XLSX files of a folder that have not landed yet, packed as .zip or not, by their names.

    Args:
        url: of the warehouse.
        triggered_by: who or what started it (ops.sync_logs.user_id).

    Raises:
        AuditFolderMissing: there is no such folder.
        AlreadyRunning: a sync holds the warehouse.
        WarehouseFailed: Postgres failed; files landed before that stay.
    """
    if not Path(folder).is_dir():
        raise AuditFolderMissing(f"B2CHAT_AUDIT_FOLDER: there is no folder {folder}")
    result = AuditResult()
    try:
        with writer(url, f"audit export ({triggered_by})") as conn:
            for path in audit_files(folder):
                _land(conn, path, triggered_by, result)
    except psycopg.Error as error:
        raise WarehouseFailed(error) from None
    return result


def audit_files(folder: Path | str) -> list[Path]:
    """The files of a folder that may be audit exports or archives of them, by name; hidden and lock files are none."""
    return sorted(
        path
        for path in Path(folder).iterdir()
        if path.suffix.lower()[1:] in (*FORMATS, *ARCHIVES) and not path.name.startswith((".", "~$")) and path.is_file()
    )


def _land(conn: psycopg.Connection, path: Path, triggered_by: str, result: AuditResult) -> None:
    """Land a file, or each file of an archive by itself: equal rows of two files are one message."""
    if path.suffix.lower()[1:] not in ARCHIVES:
        _land_if_new(conn, path, path.name, triggered_by, result)
        return
    with tempfile.TemporaryDirectory(prefix="b2chat-audit-") as folder:
        try:
            files = unpack(path, Path(folder))
        except AuditFileError as error:
            _refuse(conn, path, path.name, _hash_of(path), triggered_by, error, result)
            return
        for name, file in files:
            _land_if_new(conn, file, name, triggered_by, result)


def _land_if_new(conn: psycopg.Connection, path: Path, name: str, triggered_by: str, result: AuditResult) -> None:
    file_hash = _hash_of(path)
    known = conn.execute("select 1 from raw.audit_files where file_hash = %s and error is null", (file_hash,))
    if known.fetchone():
        result.files_known += 1
        return
    sync_id, started_at = str(uuid.uuid4()), datetime.now(UTC)
    try:
        with conn.transaction():
            about = AuditFile(name, file_hash, path.stat().st_size)
            load = land_rows(conn, read_audit_file(path, name), about, sync_id)
            _note(conn, path, name, file_hash, sync_id, triggered_by, started_at, load, None)
    except AuditFileError as error:
        _refuse(conn, path, name, file_hash, triggered_by, error, result)
        return
    result.files_new += 1
    result.rows += load.rows
    result.new += load.new
    result.duplicates += load.duplicates
    result.quarantined += load.quarantined
    result.load_id = load.load_id
    log.info(
        "Audit export: %s: %s rows, %s new, %s known, %s in quarantine",
        name,
        load.rows,
        load.new,
        load.duplicates,
        load.quarantined,
    )
    if path.suffix.lower() == ".csv" and encoding_of(path, name) == WINDOWS_1252:
        result.notes.append(f"{name}: not UTF-8, read as Windows-1252")
        log.warning("Audit export: %s", result.notes[-1])


def _refuse(
    conn: psycopg.Connection,
    path: Path,
    name: str,
    file_hash: str,
    triggered_by: str,
    error: AuditFileError,
    result: AuditResult,
) -> None:
    with conn.transaction():
        _note(conn, path, name, file_hash, str(uuid.uuid4()), triggered_by, datetime.now(UTC), None, str(error))
    log.error("Audit export: %s", error)
    result.failed.append(str(error))


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class AuditFile:
    """Where rows come from: a file's name, the SHA-256 of its content, and how many bytes were read."""

    name: str
    content_hash: str
    size: int


@dataclass(frozen=True, slots=True)
class AuditLoad:
    """What became of the rows of one load; `new`, `duplicates` and `quarantined` add up to `rows`."""

    load_id: int
    rows: int
    new: int
    duplicates: int
    quarantined: int


def land_rows(
    conn: psycopg.Connection, audit_rows: Iterable[AuditRow | Rejected], file: AuditFile, sync_id: str
) -> AuditLoad:
    """Land rows of one file as one load, in the caller's transaction. The caller is the only writer (see `writer`)."""
    rows = _stage(conn, audit_rows)
    at = datetime.now(UTC)
    load_id = _open_load(conn, file, sync_id, rows, at)
    stamp = {"load_id": load_id, "file_hash": file.content_hash, "at": at, "file_name": file.name}
    new = conn.execute(_INSERT_MESSAGES, stamp).rowcount
    conn.execute(_UPSERT_CHATS, stamp)
    conn.execute(_INSERT_QUARANTINE, stamp)
    _resolve_torn_rows(conn)
    (quarantined,) = conn.execute(  # type: ignore[misc]
        "select count(*) from pg_temp.audit_landing where rule is not null"
    ).fetchone()
    load = AuditLoad(load_id, rows, new, rows - new - quarantined, quarantined)
    conn.execute(
        "update ops.page_loads set new_count = %s, unchanged_count = %s, quarantined_count = %s where load_id = %s",
        (load.new, load.duplicates, load.quarantined, load_id),
    )
    return load


def _resolve_torn_rows(conn: psycopg.Connection) -> None:
    """Close what is in quarantine of a file that was cut, when the whole of it has landed, before or after.

    A row that was cut is, at the same place of the whole file, one whose cells begin as its own do.
    """
    torn = conn.execute(_TORN_ROWS).fetchall()
    resolved = {
        quarantine_id for quarantine_id, payload_bytes, whole in torn if _is_torn_from(json.loads(payload_bytes), whole)
    }
    if resolved:
        conn.execute("update raw.quarantine set resolved_at = now() where quarantine_id = any(%s)", (list(resolved),))


def _is_torn_from(torn: dict[str, str], whole: dict[str, str]) -> bool:
    """Whether a row's cells are another's up to a cell that breaks off; one sign may have been cut in two."""
    unequal = [name for name, cell in torn.items() if whole.get(name) != cell]
    if len(torn) >= len(whole) or len(unequal) > 1:
        return False
    return all(whole.get(name, "").startswith(torn[name].rstrip(_BROKEN_SIGN)) for name in unequal)


def _stage(conn: psycopg.Connection, audit_rows: Iterable[AuditRow | Rejected]) -> int:
    """Stream rows into a table of this transaction. Returns how many there are."""
    conn.execute("drop table if exists pg_temp.audit_landing")  # of an earlier load of the same transaction
    conn.execute("""
        create temp table audit_landing (
            position integer, chat_id text, identity text, payload jsonb, chat jsonb, payload_bytes bytea,
            cleaned jsonb, rule text, detail text
        ) on commit drop
    """)
    rows = 0
    with conn.cursor() as cursor, cursor.copy("copy pg_temp.audit_landing from stdin") as copy:
        for values in map(_staged, audit_rows):
            copy.write_row(values)
            rows += 1
    conn.execute("analyze pg_temp.audit_landing (chat_id, identity, position)")
    return rows


def _staged(row: AuditRow | Rejected) -> tuple[object, ...]:
    if isinstance(row, Rejected):
        return (
            row.position,
            row.key,
            row.content_hash,
            None,
            None,
            row.data,
            None,
            row.problem.rule,
            row.problem.detail,
        )
    cleaned = json.dumps(row.cleaned, ensure_ascii=False) if row.cleaned else None
    return (row.position, row.chat_id, row.identity, row.payload, row.chat, row.exact, cleaned, None, None)


def _open_load(conn: psycopg.Connection, file: AuditFile, sync_id: str, rows: int, at: datetime) -> int:
    row = conn.execute(
        """
        insert into ops.page_loads (
            sync_id, entity_type, page_offset, record_count, new_count, changed_count, unchanged_count,
            quarantined_count, response_bytes, request_ms, loaded_at)
        values (%s, 'audit', 0, %s, 0, 0, 0, 0, %s, 0, %s)
        returning load_id
        """,
        (sync_id, rows, file.size, at),
    ).fetchone()
    assert row is not None
    return int(row[0])


# Equal messages are told apart by counting them within the file, so that a file that overlaps another doubles none.
_INSERT_MESSAGES = """
    insert into raw.audit_messages (
        chat_id, row_id, payload, payload_bytes, cleaned, position, file_hash, load_id, loaded_at)
    select chat_id, identity || '-' || row_number() over (partition by chat_id, identity order by position),
           payload, payload_bytes, cleaned, position, %(file_hash)s, %(load_id)s, %(at)s
    from pg_temp.audit_landing
    where rule is null
    on conflict (chat_id, row_id) do nothing
"""

_BROKEN_SIGN = "".join(map(chr, range(0xDC80, 0xDD00)))  # how the bytes of a sign that was cut in two were read

_TORN_ROWS = """
    with torn as (
        select quarantine_id, payload_bytes, position, record_key
        from raw.quarantine
        where entity_type = 'audit' and rule = 'cells_do_not_fit' and resolved_at is null
    )
    select torn.quarantine_id, torn.payload_bytes, whole.payload
    from torn
    inner join pg_temp.audit_landing as whole on whole.position = torn.position and whole.rule is null
    union all
    select torn.quarantine_id, torn.payload_bytes, whole.payload
    from torn
    inner join raw.audit_messages as whole on whole.chat_id = torn.record_key and whole.position = torn.position
"""

# The last row that names an agent speaks for its chat: a bot's rows may name none.
_UPSERT_CHATS = """
    insert into raw.audit_chats as known (chat_id, payload, file_hash, load_id, loaded_at)
    select distinct on (chat_id) chat_id, chat, %(file_hash)s, %(load_id)s, %(at)s
    from pg_temp.audit_landing
    where rule is null
    order by chat_id, coalesce(chat ->> 'agent_username', '') <> '' desc, position desc
    on conflict (chat_id) do update set
        payload = excluded.payload, file_hash = excluded.file_hash, load_id = excluded.load_id,
        loaded_at = excluded.loaded_at
    where known.payload <> excluded.payload or exists (
        select from raw.audit_messages as message
        where message.chat_id = excluded.chat_id and message.load_id = excluded.load_id)
"""

_INSERT_QUARANTINE = """
    insert into raw.quarantine (
        entity_type, record_key, rule, detail, payload_bytes, content_hash, load_id, page_offset, position,
        quarantined_at)
    select 'audit', chat_id, rule, detail || ' (' || %(file_name)s || ')', payload_bytes, identity, %(load_id)s, 0,
           position, %(at)s
    from pg_temp.audit_landing
    where rule is not null
    order by position
    on conflict (entity_type, content_hash, rule) do nothing
"""


def _note(
    conn: psycopg.Connection,
    path: Path,
    name: str,
    file_hash: str,
    sync_id: str,
    triggered_by: str,
    started_at: datetime,
    load: AuditLoad | None,
    error: str | None,
) -> None:
    """The file's place in the books: raw.audit_files, and a row of ops.sync_logs."""
    ended_at, rows = datetime.now(UTC), load.rows if load else 0
    conn.execute(
        """
        insert into raw.audit_files (file_hash, file_name, format, row_count, load_id, landed_at, error)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (file_hash) do update set
            file_name = excluded.file_name, row_count = excluded.row_count, load_id = excluded.load_id,
            landed_at = excluded.landed_at, error = excluded.error
        """,
        (file_hash, name, path.suffix.lower()[1:], rows, load.load_id if load else None, ended_at, error),
    )
    conn.execute(
        """
        insert into ops.sync_logs (
            id, user_id, entity_type, operation, record_count, status, started_at, completed_at, error_message,
            metadata)
        values (%s, %s, 'audit', 'audit_file', %s, %s, %s, %s, %s, %s)
        """,
        (
            sync_id,
            triggered_by,
            rows,
            "error" if error else "success",
            started_at,
            ended_at,
            error,
            Jsonb({"file_name": name}),
        ),
    )
