"""Labelled chats as a file that `b2chat evaluate` reads: redacted, and only as they were judged."""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dagster_project.analysis import work
from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.personal import persons
from dagster_project.analysis.personal.redaction import Known, redact
from dagster_project.analysis.review.labels import NONE_COLUMNS, OPINIONS

BATCH_SIZE = 500  # chats at a time


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of the labelled chats.

    Attributes:
        written: lines of the file.
        changed: left out, as the chat says something else by now.
        blocked: left out, as redaction may have missed something.
    """

    written: int
    changed: int
    blocked: int


def write(conn: psycopg.Connection, file: Path, keep: frozenset[str]) -> Exported:
    """Write each chat's newest label with its redacted messages; the file is there whole, or not at all.

    Args:
        keep: words that are no names although a person may be called so.

    Raises:
        OSError: the file cannot be written.
    """
    counts = {"written": 0, "changed": 0, "blocked": 0}
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as lines:
            for label, said, known in _labelled(conn):
                if said is None:
                    counts["changed"] += 1
                    continue
                messages = _redacted(said, known, keep)
                counts["written" if messages else "blocked"] += 1
                if messages:
                    record = {"id": label["chat_id"], "messages": messages, "gold": _gold(label)}
                    lines.write(json.dumps(record, ensure_ascii=False) + "\n")
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink()
        raise
    return Exported(**counts)


def _labelled(conn: psycopg.Connection) -> Iterator[tuple[dict[str, Any], Conversation | None, Known]]:
    """Labels with what their chats say; None where that is not what was judged."""
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            "select distinct on (chat_id) * from analysis.human_labels order by chat_id, label_id desc"
        ).fetchall()
    for start in range(0, len(found), BATCH_SIZE):
        ids = [label["chat_id"] for label in found[start : start + BATCH_SIZE]]
        said, known = work.read_texts(conn, ids), persons.known(conn, ids)
        for label in found[start : start + BATCH_SIZE]:
            chat = said.get(label["chat_id"])
            is_same = chat is not None and work.content_key(chat) == label["content_key"]
            yield label, chat if is_same else None, known.get(label["chat_id"], Known())


def _redacted(said: Conversation, known: Known, keep: frozenset[str]) -> list[dict[str, Any]]:
    """The messages; none where something is left that looks like personal data."""
    redacted = redact(said.messages, known, keep)
    if redacted.left:
        return []
    return [
        {"incoming": one.incoming, "text": text, "minutes": one.minutes and round(one.minutes, 1)}
        for one, text in zip(said.messages, redacted.texts, strict=True)
    ]


def _gold(label: dict[str, Any]) -> dict[str, Any]:
    """What the person said; null says that no label applies, and a field without his opinion is not there."""
    gold = {name: label[name] for name in OPINIONS if label[name] is not None}
    return gold | {name: None for name, column in NONE_COLUMNS.items() if label[column]}
