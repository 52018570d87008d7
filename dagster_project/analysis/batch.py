"""One batch of chats by rules: read, classified and written in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from dagster_project.analysis import store, work
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.analysis.store import Classification, QueueEntry
from dagster_project.analysis.taxonomy.categorization import Categorization


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a batch.

    Attributes:
        chats: how many it had.
        counts: chats by state, and classifications that are `new`.
        intents: classified chats by intent.
    """

    chats: int
    counts: Counter[str]
    intents: Counter[str]


def categorize_batch(
    conn: psycopg.Connection,
    classifier: RulesClassifier,
    chat_ids: Sequence[str],
    loads: work.LoadWindow,
    idle: timedelta,
) -> Done:
    """Categorize these chats, all or none. Other connections may be at other chats at the same time."""
    found: dict[str, Categorization] = {}
    processed, now = [], datetime.now(UTC)
    with conn.transaction():
        for chat in work.read_chats(conn, chat_ids, loads, idle):
            state, reason = chat.state_and_reason()
            key = work.cache_key(chat.conversation, classifier.version) if state == "classified" else None
            if key and key not in found:
                found[key] = classifier.classify(chat.conversation)
            content_key = chat.content_key if key else None
            processed.append((chat.chat_id, state, chat.load_id, key, reason, content_key, chat.injection_suspected))
        new = store.keep_classifications(
            conn,
            [
                Classification(key, classifier.model, classifier.version, "rules", classifier.model, found[key], 0, now)
                for key in sorted(found)  # in one order, so that no two processes wait for each other
            ],
        )
        ids = store.classifications_of_rules(conn, list(found))
        rows = [
            QueueEntry(chat_id, state, load_id, key, ids[key] if key else None, reason, content_key, is_suspected)
            for chat_id, state, load_id, key, reason, content_key, is_suspected in processed
        ]
        store.update_queue(conn, classifier.model, classifier.version, rows, now)
    counts = Counter(row.state for row in rows) + Counter(new=len(new))
    return Done(len(chat_ids), counts, Counter(found[row.cache_key].intent for row in rows if row.cache_key))
