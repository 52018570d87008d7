"""What can be archived, and what an archive is kept in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dagster_project.warehouse.partitions import CHATS, MESSAGES, READ


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
        taken_out: SQL of what is remembered of a partition {part} that goes, in the archive {id}.
        online_months: a month is due when its last day is so many months old; None: the settings say.
        cold_months: how long the file is kept after that; None: for ever.
        least_months: it leaves earlier, and never before so many months, where the table is about to be too large
            (`crowded.py`); None: it never does.
        goes_with: the table whose months leave only after this one's.
        feeds_dbt: whether a build from the beginning needs the rows.
    """

    name: str
    key: str
    live: str
    taken_out: str | None = None
    online_months: int | None = None
    cold_months: int | None = None
    least_months: int | None = None
    goes_with: str | None = None
    feeds_dbt: bool = True


def _of_source(
    table: str,
    key: str,
    online_months: int,
    cold_months: int | None = None,
    taken_out: str | None = None,
    least_months: int | None = None,
    goes_with: str | None = None,
) -> Archivable:
    """Of a source's own schema. What was read of it stays in raw."""
    columns = key.split(", ")
    same = " and ".join(f"same.{column} = old.{column}" for column in columns)
    live = f"exists (select from {table} as same where {same})"
    return Archivable(table, key, live, taken_out, online_months, cold_months, least_months, goes_with, feeds_dbt=False)


# A chat that came again after its month was archived, changed, is newer than what the file has of it.
TABLES = {
    one.name: one
    for one in (
        Archivable(
            CHATS,
            "chat_id",
            f"exists (select from {CHATS} as newer where newer.chat_id = old.chat_id)",
            "insert into ops.archived_records (record_key, content_hash, version, archive_id) "
            "select chat_id, content_hash, version, {id} from {part} on conflict (record_key) do update set "
            "content_hash = excluded.content_hash, version = excluded.version, archive_id = excluded.archive_id",
        ),
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
        # A row that comes again after its month was archived lands again, and goes again with the next archive.
        *(
            Archivable(table, "row_key", f"exists (select from {table} as newer where newer.row_key = old.row_key)")
            for table in READ
        ),
        # Chat rooms are two years online, seven in files. What refers to messages goes before them; the file manager
        # is told which files it may put away.
        _of_source(
            "rooms.chat_file_attachments",
            "id, message_created_at",
            24,
            84,
            "insert into rooms.archived_files (attachment_id, file_manager_file_id, message_created_at) "
            "select id, file_manager_file_id, message_created_at from {part} on conflict do nothing",
        ),
        _of_source("rooms.robot_interactions", "id, message_created_at", 24, 84),
        _of_source("rooms.messages", "id, created_at", 24, 84),
        _of_source("rooms.user_presence_changes", "user_id, changed_at", 24, 84),
        # Two years of calls and a month, so that each has its year before; visitors and statuses a year less. They grow
        # with the square of the widget's users: then it may have to be sooner.
        _of_source("calls.call_offers", "id, call_created_at", 25, least_months=3, goes_with="calls.call_logs"),
        _of_source("calls.call_logs", "id, created_at", 25, least_months=3),
        _of_source("calls.agent_sessions", "id, started_at", 25, least_months=3),
        _of_source("calls.agent_status_changes", "id, changed_at", 13, least_months=3),
        _of_source("calls.widget_pageviews", "id, created_at", 13, least_months=3),
    )
}
