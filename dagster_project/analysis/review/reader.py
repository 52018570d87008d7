"""What a person sees who reviews: the rows of the queue, and a chat with what was said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import class_row

from dagster_project.analysis import work
from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.review.labels import NONE, NONE_COLUMNS, OPINIONS
from dagster_project.analysis.review.queue import COLUMNS
from dagster_project.analysis.taxonomy import taxonomy


class NoSuchChat(Exception):
    """There is no chat of this id that was categorized."""


@dataclass(frozen=True, slots=True)
class Row:
    """A chat of the queue: why it is there, and what the machine says.

    Attributes:
        labels: by field of the taxonomy.
        classification_state: classified; or why the machine says nothing, and then all that it says is None.
    """

    chat_id: str
    state: str
    reasons: list[str]
    classification_state: str
    model_vendor: str | None
    model: str | None
    labels: dict[str, str | None]
    agent_quality_score: int | None
    confidence_score: float | None
    reasoning_notes: str | None
    queued_at: datetime | None
    content_key: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of a chat.

    Attributes:
        opinions: by field, a label, a score, or "none" where none applies; only those that the person has.
        is_outdated: the chat has changed since.
    """

    labelled_by: str
    labelled_at: datetime
    opinions: dict[str, str | int]
    note: str | None
    is_outdated: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A chat as a person reviews it.

    Attributes:
        row: as it stands in the queue; its reasons are empty and its state is "not queued" where it does not.
        said: people's labels, newest first.
        has_changed: the chat says something else now than when it was categorized.
    """

    row: Row
    conversation: Conversation
    said: list[Said]
    has_changed: bool


_REASONS = (
    "array_remove(array["
    + ", ".join(f"case when queue.{column} then '{reason}' end" for reason, column in COLUMNS.items())
    + "], null)"
)
_LABELS = (
    "jsonb_build_object(" + ", ".join(f"'{one.name}', classifications.{one.name}" for one in taxonomy.fields()) + ")"
)
_OPINIONS = (
    "jsonb_strip_nulls(jsonb_build_object("
    + ", ".join(
        f"'{name}', case when {NONE_COLUMNS[name]} then to_jsonb('{NONE}'::text) else to_jsonb({name}) end"
        if name in NONE_COLUMNS
        else f"'{name}', {name}"
        for name in OPINIONS
    )
    + "))"
)
_ROW = f"""
    current.chat_id, coalesce(queue.state, 'not queued') as state, {_REASONS} as reasons,
    current.state as classification_state, classifications.model_vendor, classifications.model,
    {_LABELS} as labels, classifications.agent_quality_score, classifications.confidence_score,
    classifications.reasoning_notes,
    coalesce(queue.queued_at, classifications.classified_at) as queued_at, current.content_key
"""


def waiting(conn: psycopg.Connection, reasons: Sequence[str] = (), limit: int = 20) -> list[Row]:
    """Open rows of the queue that have one of the reasons (any, without): the gravest first, then the oldest."""
    columns = [f"queue.{COLUMNS[reason]}" for reason in reasons or COLUMNS]
    ranked = ", ".join(f"queue.{column} desc" for column in COLUMNS.values())
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(
            f"""
            select {_ROW}
            from analysis.review_queue as queue
            inner join analysis.current_classifications as current on current.chat_id = queue.chat_id
            inner join analysis.classifications on classifications.classification_id = current.classification_id
            where queue.state = 'open' and ({" or ".join(columns)})
            order by {ranked}, queue.queued_at, queue.chat_id
            limit %s
            """,  # noqa: S608
            [limit],
        ).fetchall()


def show(conn: psycopg.Connection, chat_id: str) -> Shown:
    """A chat with its messages and all that was said of it.

    Raises:
        NoSuchChat: there is none, or nothing of it is to be categorized.
    """
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        row = cursor.execute(
            f"""
            select {_ROW}
            from analysis.current_classifications as current
            left join analysis.classifications on classifications.classification_id = current.classification_id
            left join analysis.review_queue as queue on queue.chat_id = current.chat_id
            where current.chat_id = %s
            """,  # noqa: S608
            [chat_id],
        ).fetchone()
    if row is None:
        raise NoSuchChat(f"chat {chat_id} is not categorized, or there is none")
    with conn.cursor(row_factory=class_row(Said)) as cursor:
        said = cursor.execute(
            f"""
            select labelled_by, labelled_at, {_OPINIONS} as opinions, note,
                content_key is distinct from %s as is_outdated
            from analysis.human_labels where chat_id = %s order by label_id desc
            """,  # noqa: S608
            [row.content_key, chat_id],
        ).fetchall()
    chats = work.read_chats(conn, [chat_id], work.LoadWindow(0, 0, None), timedelta(0))
    conversation = chats[0].conversation if chats else Conversation(())
    return Shown(row, conversation, said, work.content_key(conversation) != row.content_key)
