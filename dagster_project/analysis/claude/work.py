"""Which chats Claude has to be asked for: chats become work, equal work is done once, and what is known is reused."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dagster_project.analysis import store, work
from dagster_project.analysis.claude.classifier import Blocked, Prepared
from dagster_project.analysis.claude.run import CLASSIFIER, Run
from dagster_project.analysis.personal import persons
from dagster_project.analysis.personal.redaction import Known
from dagster_project.analysis.store import QueueEntry

BATCH_SIZE = 500  # chats a transaction
REUSED_FOR = "30 days"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Work that waits: its key, one of the chats that say this, and whether its last answer was cut."""

    cache_key: str
    chat_id: str
    was_cut: bool


def process(run: Run) -> None:
    """Turn the chats that are new into work that waits, or say why not. Asks nobody."""
    version = run.claude.version
    _wait_again(run)
    store.choose(run.conn, CLASSIFIER, version)
    loads = work.load_window(run.conn, CLASSIFIER, version)
    todo = work.unprocessed_chats(run.conn, CLASSIFIER, version, loads, run.chat_ids)
    for start in range(0, len(todo), BATCH_SIZE):
        with run.conn.transaction():
            chats = work.read_chats(run.conn, todo[start : start + BATCH_SIZE], loads, run.limits.idle)
            known = persons.known(run.conn, [chat.chat_id for chat in chats])
            rows = _as_they_were(run, [_work(run, chat, known[chat.chat_id]) for chat in chats])
            store.update_queue(run.conn, CLASSIFIER, version, rows, datetime.now(UTC))
        run.counts.processed.update(row.state for row in rows)
    if run.chat_ids is None:
        store.remember_load(run.conn, CLASSIFIER, version, loads.high_watermark)


def reuse(run: Run) -> None:
    """Give work that waits the classification of the same content, if there is one no older than 30 days; and leave
    what is on its way in a batch to that batch."""
    run.counts.reused += run.conn.execute(
        f"""
        update analysis.classification_queue as work set
            state = 'classified', classification_id = known.classification_id, reason = null, next_retry_at = null
        from (
            select distinct on (cache_key) cache_key, classification_id
            from analysis.classifications
            where classifier = 'claude' and classified_at > now() - interval '{REUSED_FOR}'
                and cache_key in (
                    select cache_key from analysis.classification_queue
                    where classifier = 'claude' and state in ('pending', 'budget_deferred'))
            order by cache_key, classified_at desc
        ) as known
        where
            work.classifier = 'claude' and work.state in ('pending', 'budget_deferred')
            and work.cache_key = known.cache_key
        """  # noqa: S608
    ).rowcount
    run.conn.execute("""
        update analysis.classification_queue set state = 'submitted'
        where classifier = 'claude' and state in ('pending', 'budget_deferred') and cache_key in (
            select item.cache_key from analysis.batch_items as item
            inner join analysis.batches on batches.id = item.batch
            where item.outcome is null and batches.state in ('intended', 'submitted'))
    """)


def candidates(run: Run) -> list[Candidate]:
    """Work that may be sent now, what came last first."""
    rows = run.conn.execute(
        """
        select cache_key, max(chat_id), bool_or(coalesce(last_error_type = 'truncated', false))
        from analysis.classification_queue
        where
            classifier = 'claude' and version = %s and state in ('pending', 'budget_deferred')
            and (next_retry_at is null or next_retry_at <= now())
            and (%s::text[] is null or chat_id = any(%s))
        group by cache_key
        order by max(load_id) desc, cache_key
        """,
        (run.claude.version, run.chat_ids, run.chat_ids),
    )
    return [Candidate(*row) for row in rows]


def prepare(run: Run, waiting: Sequence[Candidate]) -> list[tuple[Candidate, Prepared]]:
    """The chats of work as they are sent. One that is no longer what it was goes back, and is left out."""
    chats = work.read_texts(run.conn, [one.chat_id for one in waiting])
    known = persons.known(run.conn, list(chats))
    ready = []
    for one in waiting:
        if one.chat_id not in chats:
            _change(run, one, "skipped", "deleted", None)
            continue
        try:
            chat = run.claude.prepare(chats[one.chat_id], known[one.chat_id])
        except Blocked as fault:
            _change(run, one, "dead_lettered", f"not sent: {fault}", None)
            continue
        if chat.key == one.cache_key:
            ready.append((one, chat))
        else:
            _change(run, one, "pending", None, chat.key)
    return ready


def defer(run: Run, cache_keys: Sequence[str], reason: str) -> None:
    """Say of work that it waits for money."""
    run.conn.execute(
        "update analysis.classification_queue set state = 'budget_deferred', reason = %s "
        "where classifier = 'claude' and state = 'pending' and cache_key = any(%s)",
        [reason, list(cache_keys)],
    )


def waiting(run: Run) -> dict[str, int]:
    """Chats that have no answer yet, by state."""
    return dict(
        run.conn.execute(
            """
        select state, count(*) from analysis.classification_queue
        where
            classifier = 'claude' and version = %s and state in ('pending', 'submitted', 'budget_deferred')
            and (%s::text[] is null or chat_id = any(%s))
        group by state order by state
        """,
            (run.claude.version, run.chat_ids, run.chat_ids),
        ).fetchall()
    )


def _work(run: Run, chat: work.Chat, known: Known) -> QueueEntry:
    state, reason = chat.state_and_reason()
    if state != "classified":
        return QueueEntry(chat.chat_id, state, chat.load_id, reason=reason)
    said = chat.content_key, chat.injection_suspected
    try:
        key = run.claude.prepare(chat.conversation, known).key
    except Blocked as fault:
        return QueueEntry(chat.chat_id, "dead_lettered", chat.load_id, None, None, f"not sent: {fault}", *said)
    return QueueEntry(chat.chat_id, "pending", chat.load_id, key, None, None, *said)


def _as_they_were(run: Run, rows: Sequence[QueueEntry]) -> list[QueueEntry]:
    """Chats that came again with nothing new to read: they keep their classification, or why they have none."""
    before = run.conn.execute(
        """
        select chat_id, cache_key, state, classification_id, reason from analysis.classification_queue
        where classifier = 'claude' and chat_id = any(%s) and state in ('classified', 'refused', 'dead_lettered')
        """,
        [[row.chat_id for row in rows if row.state == "pending"]],
    )
    was = {
        (chat_id, key): (state, classification_id, reason) for chat_id, key, state, classification_id, reason in before
    }
    return [
        replace(row, state=state, classification_id=classification_id, reason=reason)
        for row in rows
        for state, classification_id, reason in [was.get((row.chat_id, row.cache_key), (row.state, None, row.reason))]
    ]


def _wait_again(run: Run) -> None:
    """Take up what is asked for anew by configuration."""
    scope = (run.claude.version, run.chat_ids, run.chat_ids)
    if run.limits.refresh_expired:
        run.conn.execute(
            f"""
            update analysis.classification_queue as work set state = 'pending', attempts = 0, last_error_type = null
            from analysis.classifications
            where
                classifications.classification_id = work.classification_id and work.classifier = 'claude'
                and work.state = 'classified'
                and classifications.classified_at <= now() - interval '{REUSED_FOR}'
                and work.version = %s and (%s::text[] is null or work.chat_id = any(%s))
            """,  # noqa: S608
            scope,
        )
    if run.limits.retry_dead:
        run.conn.execute(
            """
            update analysis.classification_queue set
                state = 'pending', attempts = 0, last_error_type = null, next_retry_at = null, reason = null
            where classifier = 'claude' and state in ('dead_lettered', 'refused') and cache_key is not null
                and version = %s and (%s::text[] is null or chat_id = any(%s))
            """,
            scope,
        )


def _change(run: Run, one: Candidate, state: str, reason: str | None, cache_key: str | None) -> None:
    run.conn.execute(
        "update analysis.classification_queue set state = %s, reason = %s, cache_key = %s, attempts = 0, "
        "last_error_type = null "
        "where classifier = 'claude' and chat_id = %s",
        [state, reason, cache_key, one.chat_id],
    )
