"""The audit export as a source: files of the console's export in a folder, each landed once, packed as .zip or not."""

import hashlib
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from dagster_project.sources.b2chat_audit.archive import ARCHIVES, unpack
from dagster_project.sources.b2chat_audit.entities import B2CHAT_AUDIT, message_record
from dagster_project.sources.b2chat_audit.files import (
    FORMATS,
    WINDOWS_1252,
    AuditFileError,
    AuditRow,
    encoding_of,
    read_audit_file,
)
from dagster_project.sources.contract import (
    Answer,
    EntitySpec,
    History,
    Origin,
    Page,
    Plan,
    Problem,
    Record,
    Rejected,
    Scope,
    SourceError,
    Window,
)

PAGE_ROWS = 2000


class AuditFolderMissing(SourceError):
    """The folder of the audit export is not there."""

    def __str__(self) -> str:
        return self.cause


@dataclass(frozen=True, slots=True)
class AuditFile:
    """A file of the folder, or of an archive in it: known by its content, whatever its name.

    Attributes:
        name: what messages call it (`export.zip/messages.csv`).
        path: the file, or the archive that holds it.
        member: its number in the archive; None for a file of its own.
        fault: why its archive cannot be read.
    """

    name: str
    path: Path
    content_hash: str
    member: int | None = None
    fault: str = ""
    day_from: date | None = None
    day_to: date | None = None
    day_read: date | None = None

    def __str__(self) -> str:
        return f"{self.content_hash} {self.name}"


class AuditFolder:
    """The source of a folder's files. Implements `contract.Source`; use it as a context manager.

    Attributes:
        known_files: how many files of the folder the last plan left out, because their content had landed before.
        notes: a text for each file that was not read as UTF-8.
    """

    spec = B2CHAT_AUDIT

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder)
        self._unpacked: tuple[Path, list[tuple[str, Path]]] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self.known_files = 0
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forget_archive()

    def origin(self) -> Origin:
        """The folder.

        Raises:
            AuditFolderMissing: there is none.
        """
        if not self._folder.is_dir():
            raise AuditFolderMissing(f"B2CHAT_AUDIT_FOLDER: there is no folder {self._folder}")
        return Origin("files", str(self._folder))

    def plan(self, entity: EntitySpec, scope: Scope, history: History) -> Plan:
        """The files whose content has not landed yet, by their names."""
        landed = {name.partition(" ")[0] for name in history.windows_read()}
        files = [file for path in audit_files(self._folder) for file in self._files_of(path)]
        first_of = {file.content_hash: file for file in reversed(files)}
        new = [file for file in files if file.content_hash not in landed and first_of[file.content_hash] is file]
        self.known_files = len(files) - len(new)
        return Plan(new)

    def pages(self, entity: EntitySpec, window: Window, resume_point: str | None) -> Iterator[Page]:
        """The rows of a file.

        Raises:
            AuditFileError: it is no audit export, or cannot be read to its end.
        """
        assert isinstance(window, AuditFile)
        if window.fault:
            raise AuditFileError(window.fault)
        path = window.path if window.member is None else self._unpack(window.path)[window.member][1]
        rows = _records(read_audit_file(path, window.name), window.name)
        received, batch = 0, list(itertools.islice(rows, PAGE_ROWS))
        size = path.stat().st_size
        while True:
            following = list(itertools.islice(rows, PAGE_ROWS))
            is_last = not following
            records = [one for one in batch if isinstance(one, Record)]
            rejected = [one for one in batch if isinstance(one, Rejected)]
            offset, received = received, received + len(batch)
            if is_last and path.suffix.lower() == ".csv" and encoding_of(path, window.name) == WINDOWS_1252:
                self.notes.append(f"{window.name}: not UTF-8, read as Windows-1252")
            yield Page(
                entity,
                window,
                records,
                rejected,
                len(batch),
                is_last,
                is_complete=is_last,
                offset=offset,
                distinct=received,
                answer=Answer(0 if offset else size),
            )
            if is_last:
                return
            batch = following

    def quota_left(self) -> int | None:
        """Files have no quota."""
        return None

    def _files_of(self, path: Path) -> list[AuditFile]:
        if path.suffix.lower()[1:] not in ARCHIVES:
            return [AuditFile(path.name, path, _hash_of(path))]
        try:
            unpacked = self._unpack(path)
        except AuditFileError as error:
            return [AuditFile(path.name, path, _hash_of(path), fault=str(error))]
        return [AuditFile(name, path, _hash_of(file), number) for number, (name, file) in enumerate(unpacked)]

    def _unpack(self, path: Path) -> list[tuple[str, Path]]:
        """The files of an archive. One archive is unpacked at a time, because they may be large."""
        if self._unpacked is None or self._unpacked[0] != path:
            self._forget_archive()
            self._scratch = tempfile.TemporaryDirectory(prefix="b2chat-audit-")
            self._unpacked = path, unpack(path, Path(self._scratch.name))
        return self._unpacked[1]

    def _forget_archive(self) -> None:
        self._unpacked = None
        if self._scratch:
            self._scratch.cleanup()
            self._scratch = None


def audit_files(folder: Path | str) -> list[Path]:
    """The files of a folder that may be audit exports or archives of them, by name; hidden and lock files are none."""
    return sorted(
        path
        for path in Path(folder).iterdir()
        if path.suffix.lower()[1:] in (*FORMATS, *ARCHIVES) and not path.name.startswith((".", "~$")) and path.is_file()
    )


def _records(rows: Iterator[AuditRow | Rejected], name: str) -> Iterator[Record | Rejected]:
    """Rows as they land. Equal messages are told apart by counting them, so that a file that overlaps another doubles
    none; the last row that names an agent speaks for its chat, because a bot's rows may name none."""
    equal, named = Counter[int](), set[str]()
    for batch in _batches(rows):
        speakers = _speakers([row for row in batch if isinstance(row, AuditRow)], named)
        for row in batch:
            if isinstance(row, Rejected):
                detail = f"{row.problem.detail} ({name})"
                yield Rejected(
                    row.entity_type,
                    row.key,
                    Problem(row.problem.rule, detail),
                    row.data,
                    row.content_hash,
                    row.position,
                    row.people,
                )
            else:
                same = int(row.identity[:16], 16)
                equal[same] += 1
                yield message_record(row, equal[same], speaks_for_chat=speakers.get(row.chat_id) == row.position)


def _batches(rows: Iterator[AuditRow | Rejected]) -> Iterator[list[AuditRow | Rejected]]:
    while batch := list(itertools.islice(rows, PAGE_ROWS)):
        yield batch


def _speakers(rows: Sequence[AuditRow], named: set[str]) -> dict[str, int]:
    """Of each chat the position of the row that speaks for it; none where an earlier batch has one with an agent and
    these have not. `named` is added to: the chats of which a row has named an agent."""
    speakers: dict[str, int] = {}
    by_agent: dict[str, int] = {}
    for row in rows:
        speakers[row.chat_id] = row.position
        if row.names_agent:
            by_agent[row.chat_id] = row.position
    speakers = {chat_id: position for chat_id, position in speakers.items() if chat_id not in named}
    named.update(by_agent)
    return speakers | by_agent


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
