"""What can be archived, and what an archive is kept in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dagster_project.warehouse.partitions import CHATS, MESSAGES


class ArchiveFailed(Exception):
    """An archive could not be made or restored; one line that says what to do."""


class ArchiveStore(Protocol):
    """A private place for files: a store of exports that can also be read."""

    @property
    def scratch(self) -> Path:
        """The folder of this machine in which a file is written before it is put."""

    def put(self, key: str, file: Path, file_name: str, media_type: str) -> None:
        """Move a finished file into the store, whole or not at all."""

    def get(self, key: str, file: Path) -> None:
        """Copy an object into a file."""

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens where there is none."""

    def place(self, key: str) -> str:
        """Where an object lies, without any right to read it."""


@dataclass(frozen=True, slots=True)
class Archivable:
    """A monthly table whose old months may leave the database.

    Attributes:
        key: what a row is known by, as SQL; files are written in its order.
        live: SQL on a restored row `old`: whether the table holds what took its place; {month} is its first instant.
    """

    name: str
    key: str
    live: str


# A chat that came again after its month was archived, changed, is newer than what the file has of it.
TABLES = {
    one.name: one
    for one in (
        Archivable(CHATS, "chat_id", f"exists (select from {CHATS} as newer where newer.chat_id = old.chat_id)"),
        Archivable(
            "raw.b2chat_chat_versions",
            "chat_id, load_id",
            "exists (select from raw.b2chat_chat_versions as same where (same.chat_id, same.load_id) = "
            "(old.chat_id, old.load_id))",
        ),
        Archivable(
            MESSAGES,
            'chat_id, "timestamp", id',
            f"exists (select from {MESSAGES} as newer where newer.chat_id = old.chat_id "
            "and newer.timestamp >= {month} and newer.timestamp < {month} + interval '1 month')",
        ),
    )
}
