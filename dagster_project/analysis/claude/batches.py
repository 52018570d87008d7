"""Message batches, at half the price: what is meant to be sent is written down first, so that none is paid for twice.

A batch is intended (its requests and their custom ids are stored, nothing is sent), then submitted (the API has named
it), then collected. A run that is killed at any point leaves rows by which the next one takes it up: an intended batch
is looked for among those that the API knows, a submitted one is asked for its results. What the API does not show, or
not whole, is not yet known: it is asked for again for a day, and never sent again by itself, because it may be paid.
"""

import logging
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from dagster_project.analysis.claude.batch_results import MAX_WAIT, collect, custom_id_of, lose, not_yet_known
from dagster_project.analysis.claude.batch_rows import (
    Batch,
    Item,
    give_up,
    intend,
    open_batches,
    requests_of,
    submitted,
)
from dagster_project.analysis.claude.messages import Misconfigured, StopRun, after
from dagster_project.analysis.claude.run import Run

log = logging.getLogger(__name__)

MAX_REQUESTS = 100_000
MAX_BYTES = 64_000_000  # the API takes 256 MB; a quarter of it keeps our memory small
GRACE = timedelta(minutes=10)  # for a batch that was just created to be known to the API
SKEW = timedelta(minutes=2)  # between its clock and ours
SAMPLE = 100  # results of a batch by which it is known whose it is
UPLOAD = 600.0  # seconds that the creation of a batch may take
_TOO_LARGE = 413


def submit(run: Run, items: Sequence[Item]) -> None:
    """Send one batch. Its creation is never tried twice: where it is not known whether it came about, it is looked for.

    Raises:
        StopRun: the API does not take batches from us now.
    """
    import anthropic  # noqa: PLC0415  seconds

    batch, custom_ids = intend(run, items)
    run.counts.requests += len(items)
    requests = [
        {"custom_id": custom_id, "params": item.parameters} for custom_id, item in zip(custom_ids, items, strict=True)
    ]
    try:
        created = run.claude.client.messages.batches.create(requests=requests, timeout=UPLOAD)
        submitted(run, batch, created.id)
    except anthropic.APIStatusError as fault:
        if fault.status_code >= 500 or fault.status_code in (408, 409):
            _look_for(run, batch)
            return
        run.counts.requests -= len(items)
        give_up(run, batch, f"HTTP {fault.status_code}")
        if fault.status_code == _TOO_LARGE and len(items) > 1:
            submit(run, items[: len(items) // 2])
            submit(run, items[len(items) // 2 :])
            return
        after(fault)
        raise (StopRun if fault.status_code == 429 else Misconfigured)(
            f"the API does not take the batch (HTTP {fault.status_code})"
        ) from None
    except (anthropic.APIConnectionError, ValueError, AttributeError, KeyError, TypeError) as fault:
        log.warning("it is not known whether the batch came about (%s): it is looked for", type(fault).__name__)
        _look_for(run, batch)


def resume(run: Run) -> None:
    """Look at every batch that is open: find it, ask how far it is, collect what it has.

    Raises:
        StopRun: the key is refused.
    """
    for batch in open_batches(run):
        run.conn.execute("update analysis.batches set polled_at = now() where id = %s", [batch.id])
        if batch.batch_id is None:
            _look_for(run, batch)
        else:
            _poll(run, batch)


def are_open(run: Run) -> bool:
    """Whether there is a batch to wait for."""
    return any(batch.batch_id for batch in open_batches(run))


def _look_for(run: Run, batch: Batch) -> None:
    """Whether an intended batch came about: among those of the API that nobody here knows and that were made since.

    It is known by the custom ids of its results alone, so not before it has ended: another's may have its size.
    """
    import anthropic  # noqa: PLC0415  seconds

    known = {row[0] for row in run.conn.execute("select batch_id from analysis.batches where batch_id is not null")}
    may_be = False
    try:
        for one in run.claude.client.messages.batches.list(limit=100):
            if one.created_at < batch.intended_at - SKEW:
                break
            if one.id in known:
                continue
            if one.processing_status != "ended":
                may_be |= _size(one) in (0, batch.requests)
                continue
            is_ours = _is_ours(run, batch, one.id)
            if is_ours:
                submitted(run, batch, one.id)
                return
            may_be |= is_ours is None
    except (anthropic.AnthropicError, ValueError, AttributeError, KeyError, TypeError) as fault:
        log.warning("batches could not be listed (%s): looked for again later", type(fault).__name__)
        return
    age = datetime.now(UTC) - batch.intended_at
    if not may_be and age > GRACE:
        give_up(run, batch, "the API knows of no such batch")
    elif age > 2 * MAX_WAIT:  # a batch ends within a day
        lose(run, batch, "it is not known which of the API's batches it is")


def _size(one: Any) -> int:
    counts = getattr(one, "request_counts", None)
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    return sum(getattr(counts, name, None) or 0 for name in names)


def _is_ours(run: Run, batch: Batch, batch_id: str) -> bool | None:
    """None where its results do not say."""
    items, custom_ids = requests_of(run, batch), list[str]()
    try:
        with closing(run.claude.client.messages.batches.results(batch_id)) as results:
            custom_ids.extend(custom_id_of(line) for line in islice(results, SAMPLE))
    except Exception as fault:  # a cut stream comes out of the SDK as faults of several libraries
        log.warning("the results of batch %s could not be read (%s)", batch_id, type(fault).__name__)
        return any(custom_id in items for custom_id in custom_ids) or None
    return any(custom_id in items for custom_id in custom_ids) if custom_ids else None


def _poll(run: Run, batch: Batch) -> None:
    import anthropic  # noqa: PLC0415  seconds

    assert batch.batch_id is not None
    try:
        state = run.claude.client.messages.batches.retrieve(batch.batch_id)
    except anthropic.NotFoundError:
        not_yet_known(run, batch, "the API does not know it")
        return
    except anthropic.APIStatusError as fault:
        after(fault)
        return
    except anthropic.AnthropicError as fault:
        log.warning("batch %s could not be asked for (%s)", batch.batch_id, type(fault).__name__)
        return
    if state.processing_status != "ended":
        run.conn.execute(
            "update analysis.batches set incomplete_since = null, note = null "
            "where id = %s and incomplete_since is not null",
            [batch.id],
        )
        return
    if state.results_url:
        collect(run, batch, _size(state))
    elif getattr(state, "archived_at", None):
        lose(run, batch, "its results are gone: they are kept for 29 days")
    else:
        not_yet_known(run, batch, "it has ended, and its results are not there")
