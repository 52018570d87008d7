"""Which chats a classifier has to process, and what they say: conversations of every source that has text.

A chat is processed once it is closed or idle: silent for some hours. After that only a new load of it, or another
version of the classifier, brings it back.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import psycopg

from dagster_project.analysis import injection
from dagster_project.analysis.conversation import Conversation, Message

IDLE_HOURS = 24  # of silence, after which a chat that is not closed is idle, where nobody says otherwise
MEDIA = {"image": "[imagen]", "voice": "[audio]", "video": "[video]", "file": "[archivo]", "other": "[otro]"}


@dataclass(frozen=True, slots=True)
class LoadWindow:
    """The loads to process: those after the low watermark, up to the high one; `as_of` is how far the data goes."""

    low_watermark: int
    high_watermark: int
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat to process. `conversation` is empty where it is deleted."""

    chat_id: str
    load_id: int
    is_closed_or_idle: bool
    is_deleted: bool
    conversation: Conversation

    @property
    def content_key(self) -> str:
        """What a person's label of the chat belongs to."""
        return content_key(self.conversation)

    @property
    def injection_suspected(self) -> bool:
        """Whether a message looks like an order to a machine that reads it."""
        return injection.suspected(self.conversation)

    def state_and_reason(self) -> tuple[str, str | None]:
        """ "classified" where it can be categorized; else "skipped" or "ongoing", and why it is skipped."""
        if self.is_deleted:
            return "skipped", "deleted"
        if not self.is_closed_or_idle:
            return "ongoing", None
        return ("classified", None) if self.conversation.customer else ("skipped", "nothing of the customer's")


def load_window(conn: psycopg.Connection, classifier: str, version: str) -> LoadWindow:
    """What a classifier has not looked at yet; all there is for another version than last time."""
    row = conn.execute(
        """
        select
            coalesce((select load_id from analysis.progress where classifier = %s and version = %s), 0),
            coalesce((
                select min(load_id) from ops.build_watermarks where model in ('chats', 'messages', 'int_room_clock')
            ), 0),
            (select max(loaded_at) from ops.page_loads)
        """,
        (classifier, version),
    ).fetchone()
    assert row is not None
    return LoadWindow(*row)


def unprocessed_chats(
    conn: psycopg.Connection, classifier: str, version: str, loads: LoadWindow, chat_ids: Sequence[str] | None = None
) -> list[str]:
    """The chats of new loads, and those that were ongoing when they were last processed; among `chat_ids` if given.

    A named chat counts as new when this version has not looked at it since its last load. One of an erased person never
    does: it has no text any more, and keeps the label that it had.
    """
    if chat_ids is None:
        rows = conn.execute(
            """
            select chat_id from intermediate.int_conversations where load_id > %s and load_id <= %s
            union
            select chat_id from analysis.classification_queue where classifier = %s and state = 'ongoing'
            except
            select chat_id from ops.erased_chats
            order by 1
            """,
            (loads.low_watermark, loads.high_watermark, classifier),
        )
    else:
        rows = conn.execute(
            """
            select chats.chat_id
            from intermediate.int_conversations as chats
            left join analysis.classification_queue as work on work.chat_id = chats.chat_id and work.classifier = %s
            where
                chats.chat_id = any(%s) and chats.load_id <= %s
                and (work.load_id >= chats.load_id and work.version = %s and work.state <> 'ongoing') is not true
                and not exists (select from ops.erased_chats where chat_id = chats.chat_id)
            order by 1
            """,
            (classifier, list(chat_ids), loads.high_watermark, version),
        )
    return [row[0] for row in rows]


def read_chats(conn: psycopg.Connection, chat_ids: Sequence[str], loads: LoadWindow, idle: timedelta) -> list[Chat]:
    """The chats with their messages. One that has vanished from core is left out."""
    conversations = dict(_conversations(conn, chat_ids))
    rows = conn.execute(
        """
        select chat_id, load_id, is_deleted, status = 'closed' as is_closed
        from intermediate.int_conversations where chat_id = any(%s) order by chat_id
        """,
        (list(chat_ids),),
    )
    found = []
    for chat_id, load_id, is_deleted, is_closed in rows:
        conversation, last_at = conversations.get(chat_id, (Conversation(()), None))
        silent = last_at is not None and loads.as_of is not None and last_at < loads.as_of - idle
        found.append(Chat(chat_id, load_id, is_closed or silent, is_deleted, conversation))
    return found


def content_key(conversation: Conversation) -> str:
    """What a person's label is a label of: who wrote what, in which order, whatever the version and the times."""
    content = [[one.incoming, " ".join(one.text.split())] for one in conversation.messages]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode(errors="replace")).hexdigest()


def read_texts(conn: psycopg.Connection, chat_ids: Sequence[str]) -> dict[str, Conversation]:
    """What chats say, closed, idle or ongoing; without those that are deleted, or hold nothing."""
    rows = conn.execute(
        "select chat_id from intermediate.int_conversations where chat_id = any(%s) and not is_deleted",
        [list(chat_ids)],
    )
    present = {row[0] for row in rows}
    return {chat_id: said for chat_id, (said, _) in _conversations(conn, chat_ids) if chat_id in present}


def cache_key(conversation: Conversation, version: str) -> str:
    """What equal chats share a classification by: content and version; minutes count, for quality is of these times."""
    content = [[one.incoming, one.text, one.minutes and round(one.minutes)] for one in conversation.messages]
    return hashlib.sha256(json.dumps([version, content], ensure_ascii=False).encode(errors="replace")).hexdigest()


def _conversations(
    conn: psycopg.Connection, chat_ids: Sequence[str]
) -> Iterator[tuple[str, tuple[Conversation, datetime]]]:
    rows = conn.execute(
        """
        select chat_id, is_incoming, content_type, coalesce(text, ''), coalesce(caption, ''), sent_at
        from intermediate.int_conversation_texts
        where chat_id = any(%s) and is_incoming is not null
        order by chat_id, sent_at, position
        """,
        (list(chat_ids),),
    ).fetchall()
    for chat_id, group in groupby(rows, key=lambda row: row[0]):
        messages = list(group)
        began = messages[0][5]
        yield (
            chat_id,
            (
                Conversation(
                    tuple(
                        Message(incoming, _shown(kind, text, caption), (at - began).total_seconds() / 60)
                        for _, incoming, kind, text, caption, at in messages
                    )
                ),
                messages[-1][5],
            ),
        )


def _shown(kind: str, text: str, caption: str) -> str:
    if kind == "text":
        return text
    return " ".join(part for part in (MEDIA.get(kind, MEDIA["other"]), caption or text) if part)
