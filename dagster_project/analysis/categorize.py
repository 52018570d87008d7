"""Categorizing chats by rules: each closed or idle chat once per version, in batches that are done wholly or not.

Many chats are shared among processes, one a core, each with a connection of its own (`workers`).
"""

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from dagster_project.analysis import store, work, workers
from dagster_project.analysis.batch import Done, categorize_batch
from dagster_project.analysis.rules.classifier import RulesClassifier

BATCH_SIZE = 500  # chats a transaction
ALONE = 2_000  # chats, up to which another process would take longer to start than it helps


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
    began, done, counts, intents = time.monotonic(), 0, Counter[str](), Counter[str]()
    if not is_second_opinion:
        store.choose(conn, classifier.model, classifier.version)
    loads = work.load_window(conn, classifier.model, classifier.version)
    todo = work.unprocessed_chats(conn, classifier.model, classifier.version, loads, chat_ids)
    batches = [todo[start : start + BATCH_SIZE] for start in range(0, len(todo), BATCH_SIZE)]
    with closing(_batches_done(conn, classifier, batches, loads, idle)) as all_done:
        for of_batch in all_done:
            counts.update(of_batch.counts)
            intents.update(of_batch.intents)
            done += of_batch.chats
            if on_progress:
                on_progress(done, len(todo))
    if chat_ids is None:
        store.remember_load(conn, classifier.model, classifier.version, loads.high_watermark)
    return Result(
        len(todo),
        counts["classified"],
        counts["new"],
        counts["skipped"],
        counts["ongoing"],
        intents,
        time.monotonic() - began,
    )


def _batches_done(
    conn: psycopg.Connection,
    classifier: RulesClassifier,
    batches: Sequence[Sequence[str]],
    loads: work.LoadWindow,
    idle: timedelta,
) -> Generator[Done, None, None]:
    if sum(map(len, batches)) > ALONE:
        yield from workers.share(conn, classifier, batches, loads, idle)
    else:
        for chat_ids in batches:
            yield categorize_batch(conn, classifier, chat_ids, loads, idle)
