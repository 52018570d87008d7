"""The results of a message batch: kept as they come, waited for where they are not whole, given up after a day."""

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dagster_project.analysis.claude import outcomes
from dagster_project.analysis.claude.batch_rows import Batch, requests_of
from dagster_project.analysis.claude.form import Form
from dagster_project.analysis.claude.messages import Misconfigured, Outcome, outcome_of
from dagster_project.analysis.claude.outcomes import Finished
from dagster_project.analysis.claude.run import Run

log = logging.getLogger(__name__)

MAX_WAIT = timedelta(days=1)  # for a batch, or results of it, that should be there and are not
BATCH_SIZE = 100  # results a transaction


def collect(run: Run, batch: Batch, counted: int) -> None:
    """Keep results as they come. Where they break off or are not all there, what came is kept, and the rest is for the
    next look: it may be paid.

    Args:
        counted: results that the API counts, for the log.
    """
    items, foreign, some, broken = requests_of(run, batch), 0, list[Finished](), list[str]()
    for line in _lines(run, batch, broken):
        item = items.get(custom_id_of(line))
        if item is None:
            foreign += 1
        elif not item.is_done:
            some.append(item.finished(_outcome(getattr(line, "result", None), run.claude.prompt.form)))
            item.is_done = True
        if len(some) >= BATCH_SIZE:
            _keep(run, some)
            some = []
    _keep(run, some)
    if broken:
        log.warning("batch %s: its results were interrupted (%s); they are resumed", batch.batch_id, broken[0])
        return
    if foreign:
        log.warning("batch %s: %d results are for none of our requests", batch.batch_id, foreign)
    missing = sum(not item.is_done for item in items.values())
    if missing:
        not_yet_known(run, batch, f"{missing} of its {batch.requests} results did not come; the API counts {counted}")
        return
    run.conn.execute(
        "update analysis.batches set state = 'collected', collected_at = now(), incomplete_since = null, note = null "
        "where id = %s",
        [batch.id],
    )
    _stop_if_all_are_rejected(run, batch)


def not_yet_known(run: Run, batch: Batch, note: str) -> None:
    """Ask again at the next look, until it is given up."""
    row = run.conn.execute(
        "update analysis.batches set incomplete_since = coalesce(incomplete_since, now()), note = %s where id = %s "
        "returning incomplete_since",
        [note, batch.id],
    ).fetchone()
    assert row is not None
    if row[0] < datetime.now(UTC) - MAX_WAIT:
        lose(run, batch, f"{note}, for a day")
    else:
        log.warning("Claude: batch %s: %s; it is asked for again", batch.batch_id, note)


def lose(run: Run, batch: Batch, note: str) -> None:
    """A batch whose results nobody can get: perhaps paid, so not sent again unless somebody says so (retry_dead)."""
    log.warning("Claude: batch %s is lost: %s", batch.batch_id, note)
    _keep(run, [item.finished(Outcome("lost")) for item in requests_of(run, batch).values() if not item.is_done])
    run.conn.execute("update analysis.batches set state = 'lost', note = %s where id = %s", [note, batch.id])


def custom_id_of(line: Any) -> str:
    custom_id = getattr(line, "custom_id", None)
    return custom_id if isinstance(custom_id, str) else ""


def _lines(run: Run, batch: Batch, broken: list[str]) -> Iterator[Any]:
    """The results until they end or break off; `broken` then names the fault."""
    assert batch.batch_id is not None
    try:
        yield from run.claude.client.messages.batches.results(batch.batch_id)
    except Exception as fault:  # a cut stream comes out of the SDK as faults of several libraries
        broken.append(type(fault).__name__)


def _keep(run: Run, some: Sequence[Finished]) -> None:
    """Keep answers, and say of their items how they ended, together."""
    if not some:
        return
    with run.conn.transaction():
        outcomes.keep(run, some)
        run.conn.execute(
            "update analysis.batch_items as item set outcome = new.outcome, sent = null "
            "from unnest(%s::bigint[], %s::text[]) as new (ledger_id, outcome) "
            "join ops.ai_usage_ledger as ledger using (ledger_id) where item.custom_id = ledger.custom_id",
            ([one.ledger_id for one in some], [one.outcome.status for one in some]),
        )


def _outcome(result: Any, form: Form) -> Outcome:
    """By the name of its type: the SDK makes what it does not know into what it knows."""
    kind_of_result = getattr(result, "type", None)
    if kind_of_result == "succeeded":
        try:
            return outcome_of(result.message, form, request_id=result.message.id)
        except (AttributeError, TypeError):  # not a message, whatever it calls itself
            return Outcome("unknown")
    if kind_of_result == "errored":
        error = getattr(getattr(result, "error", None), "error", None)
        kind = str(getattr(error, "type", None) or "error")
        return Outcome("rejected" if kind == "invalid_request_error" else "unavailable", error_type=kind)
    if kind_of_result in ("expired", "canceled"):
        return Outcome(kind_of_result)
    return Outcome("unknown")


def _stop_if_all_are_rejected(run: Run, batch: Batch) -> None:
    """What the API finds fault with in every request is a fault of ours, not of the chats: they wait on."""
    row = run.conn.execute(
        "select bool_and(outcome = 'rejected') from analysis.batch_items where batch = %s", [batch.id]
    ).fetchone()
    if row and row[0] and batch.requests > 1:
        run.conn.execute(
            "update analysis.classification_queue as work set state = 'pending', attempts = 0 "
            "from analysis.batch_items as item "
            "where item.batch = %s and work.classifier = 'claude' and work.cache_key = item.cache_key "
            "and work.state = 'dead_lettered'",
            [batch.id],
        )
        raise Misconfigured("the API rejects every request of a batch: look at the model and the effort")
