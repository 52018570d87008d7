"""The entities of the audit export: messages, and with them their chats."""

from dagster_project.sources.b2chat_audit.files import AuditRow, read_kept_row
from dagster_project.sources.b2chat_audit.people import people_in
from dagster_project.sources.b2chat_audit.torn_rows import resolve_torn_rows
from dagster_project.sources.contract import EntitySpec, KeptRecord, Problem, Record, Rejected, SourceSpec

NAME = "b2chat_audit"

CHATS = EntitySpec(source=NAME, name="chats", table="b2chat_audit_chats", versions=None, key="chat_id")
MESSAGES = EntitySpec(
    source=NAME,
    name="messages",
    table="b2chat_audit_messages",
    versions=None,
    key="row_id",
    columns=("chat_id", "position"),
    companion=CHATS,
    is_by_file=True,
    faults_have_keys=False,
    after_page=resolve_torn_rows,
    people_in=people_in,
)


def message_record(row: AuditRow, number: int, *, speaks_for_chat: bool) -> Record:
    """A row as it lands. Its hash is what the message is: other facts of its chat make no new version of it.

    Args:
        number: which one it is among equal messages of its file, from 1.
        speaks_for_chat: the chat's own facts are taken from this row.
    """
    return Record(
        f"{row.identity}-{number}",
        row.payload,
        row.identity,
        row.exact,
        row.cleaned,
        columns=(row.chat_id, row.position),
        parent=row.chat_id,
        companion=Record(row.chat_id, row.chat, row.chat_hash) if speaks_for_chat else None,
        people=row.people,
    )


def read_kept(entity: EntitySpec, kept: KeptRecord) -> Record | Rejected | None:
    """Validate again a row that was refused (see `SourceSpec.read_kept`)."""
    if kept.rule == "cells_do_not_fit":  # nobody knows which cell is which
        return Rejected(entity.name, None, Problem(kept.rule, ""), kept.data, "", kept.position)
    row = read_kept_row(kept.data, kept.position)
    return row if isinstance(row, Rejected) else message_record(row, 1, speaks_for_chat=True)


B2CHAT_AUDIT = SourceSpec(
    NAME,
    (MESSAGES,),
    {"files": "files of the audit export"},
    read_kept,
    is_continuous=False,
)
