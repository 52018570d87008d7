"""Categorizing chats by rules: each closed or idle chat once per version, in batches that are done wholly or not."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from dagster_project.analysis import store, work
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.analysis.store import Classification, QueueEntry
from dagster_project.analysis.taxonomy.categorization import Categorization

BATCH_SIZE = 2000  # chats a transaction


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did.

    Attributes:
        processed: chats.
        classified: chats that have a classification now; `new_classifications` of them were not known, the rest share
            an older one.
        skipped: chats without anything of the customer's, or deleted.
        ongoing: chats that are neither closed nor idle.
        intents: classified chats by intent.
    """

    processed: int
    classified: int
    new_classifications: int
    skipped: int
    ongoing: int
    intents: Counter[str]
    seconds: float


def categorize_by_rules(
    conn: psycopg.Connection,
    classifier: RulesClassifier,
    *,
    idle: timedelta,
    chat_ids: Sequence[str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    is_second_opinion: bool = False,
) -> Result:
    """Look at every chat that this version has not seen since its last load. A killed run is simply run again.

    Args:
        conn: autocommits; each slice is a transaction of its own.
        idle: how long a chat that is not closed must be silent to be idle.
        chat_ids: look at these only.
        on_progress: told (chats done, chats in all) after each slice.
        is_second_opinion: another classifier categorizes; what rules say stands beside it.
    """
    began, counts, intents = time.monotonic(), Counter[str](), Counter[str]()
    if not is_second_opinion:
        store.choose(conn, classifier.model, classifier.version)
    scope = work.scope(conn, classifier.model, classifier.version)
    todo = work.unprocessed_chats(conn, classifier.model, classifier.version, scope, chat_ids)
    for start in range(0, len(todo), BATCH_SIZE):
        with conn.transaction():
            chats = work.read_chats(conn, todo[start : start + BATCH_SIZE], scope, idle)
            _batch(conn, classifier, chats, counts, intents)
        if on_progress:
            on_progress(min(start + BATCH_SIZE, len(todo)), len(todo))
    if chat_ids is None:
        store.remember_load(conn, classifier.model, classifier.version, scope.upto)
    return Result(
        len(todo),
        counts["classified"],
        counts["new"],
        counts["skipped"],
        counts["ongoing"],
        intents,
        time.monotonic() - began,
    )


def _batch(
    conn: psycopg.Connection,
    classifier: RulesClassifier,
    chats: Sequence[work.Chat],
    counts: Counter[str],
    intents: Counter[str],
) -> None:
    found: dict[str, Categorization] = {}
    processed, now = [], datetime.now(UTC)
    for chat in chats:
        state, reason = chat.state_and_reason()
        key = work.cache_key(chat.conversation, classifier.version) if state == "classified" else None
        if key and key not in found:
            found[key] = classifier.classify(chat.conversation)
        processed.append((chat, state, reason, key))
    counts["new"] += len(
        store.keep_classifications(
            conn,
            [
                Classification(key, classifier.model, classifier.version, "rules", classifier.model, labels, 0, now)
                for key, labels in found.items()
            ],
        )
    )
    ids = store.classifications_of_rules(conn, list(found))
    rows = [
        QueueEntry(
            chat.chat_id,
            state,
            chat.load_id,
            key,
            ids[key] if key else None,
            reason,
            chat.content_key if key else None,
            chat.injection_suspected,
        )
        for chat, state, reason, key in processed
    ]
    store.update_queue(conn, classifier.model, classifier.version, rows, now)
    counts.update(row.state for row in rows)
    intents.update(found[row.cache_key].intent for row in rows if row.cache_key)
