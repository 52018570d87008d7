"""Message batches, at half the price: what is meant to be sent is written down first, so that none is paid for twice.

A batch is intended (its requests and their custom ids are stored, nothing is sent), then submitted (the API has named
it), then collected. A run that is killed at any point leaves rows by which the next one takes it up: an intended batch
is looked for among those that the API knows, a submitted one is asked for its results. What the API does not show, or
not whole, is not yet known: it is asked for again for a day, and never sent again by itself, because it may be paid.
"""

import hashlib
import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.analysis.claude import ledger, outcomes
from dagster_project.analysis.claude.classifier import Identity
from dagster_project.analysis.claude.ledger import Entry
from dagster_project.analysis.claude.messages import Misconfigured, Outcome, StopRun, after, outcome_of
from dagster_project.analysis.claude.outcomes import Finished, Sent
from dagster_project.analysis.claude.run import Run

log = logging.getLogger(__name__)

MOST_REQUESTS = 100_000
MOST_BYTES = 64_000_000  # the API takes 256 MB; a quarter of it keeps our memory small
GRACE = timedelta(minutes=10)  # for a batch that was just created to be known to the API
PATIENCE = timedelta(days=1)  # for a batch, or results of it, that should be there and are not
SKEW = timedelta(minutes=2)  # between its clock and ours
SLICE = 100  # results a transaction
LOOKED_AT = 100  # results of a batch by which it is known whose it is
UPLOAD = 600.0  # seconds that the creation of a batch may take
_TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Item:
    """A request of a batch: the work that it is for, what the API takes, and the most that it can cost."""

    work_key: str
    parameters: dict[str, Any]
    sent: Sent
    reserved_usd: float


@dataclass(frozen=True, slots=True)
class _Batch:
    id: int
    batch_id: str | None
    asked: Identity
    requests: int
    intended_at: datetime
    submitted_at: datetime | None


def submit(run: Run, items: Sequence[Item]) -> None:
    """Send one batch. Its creation is never tried twice: where it is not known whether it came about, it is looked for.

    Raises:
        StopRun: the API does not take batches from us now.
    """
    import anthropic  # noqa: PLC0415  seconds

    batch, custom_ids = _intend(run, items)
    run.tally.requests += len(items)
    requests = [
        {"custom_id": custom_id, "params": item.parameters} for custom_id, item in zip(custom_ids, items, strict=True)
    ]
    try:
        created = run.claude.client.messages.batches.create(requests=requests, timeout=UPLOAD)
        _submitted(run, batch, created.id)
    except anthropic.APIStatusError as fault:
        if fault.status_code >= 500 or fault.status_code in (408, 409):
            _look_for(run, batch)
            return
        run.tally.requests -= len(items)
        _give_up(run, batch, f"HTTP {fault.status_code}")
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


def take_up(run: Run) -> None:
    """Look at every batch that is open: find it, ask how far it is, collect what it has.

    Raises:
        StopRun: the key is refused.
    """
    for batch in _open(run):
        run.conn.execute("update analysis.batches set polled_at = now() where id = %s", [batch.id])
        if batch.batch_id is None:
            _look_for(run, batch)
        else:
            _poll(run, batch)


def to_look_at(conn: psycopg.Connection) -> tuple[int, datetime] | None:
    """A batch that is open and has not been looked at for ten minutes: its id, and when it was last looked at."""
    return conn.execute("""
        select id, coalesce(polled_at, intended_at) from analysis.batches
        where state in ('intended', 'submitted') and coalesce(polled_at, intended_at) < now() - interval '10 minutes'
        order by 2 limit 1
    """).fetchone()


def are_open(run: Run) -> bool:
    """Whether there is a batch to wait for."""
    return any(batch.batch_id for batch in _open(run))


def _intend(run: Run, items: Sequence[Item]) -> tuple[_Batch, list[str]]:
    asked, prices = run.claude.identity, run.claude.prices.version
    with run.conn.transaction():
        row = run.conn.execute(
            """
            insert into analysis.batches (
                version, endpoint, model, prompt_version, schema_version, redactor_version, price_version, run_id,
                request_count, request_bytes)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id, intended_at
            """,
            (
                asked.version,
                asked.endpoint,
                asked.model,
                asked.prompt_version,
                asked.schema_version,
                asked.redactor_version,
                prices,
                run.run_id,
                len(items),
                sum(size(item.parameters) for item in items),
            ),
        ).fetchone()
        assert row is not None
        batch = _Batch(row[0], None, asked, len(items), row[1], None)
        salt = secrets.token_hex(16)
        custom_ids = [_custom_id(item.work_key, salt) for item in items]
        with (
            run.conn.cursor() as cursor,
            cursor.copy(
                "copy analysis.batch_items "
                "(batch, custom_id, work_key, sent, messages_total, messages_sent, is_truncated) from stdin"
            ) as copy,
        ):
            for custom_id, item in zip(custom_ids, items, strict=True):
                copy.write_row(
                    (
                        batch.id,
                        custom_id,
                        item.work_key,
                        Jsonb(item.sent.messages),
                        item.sent.total,
                        len(item.sent.messages),
                        item.sent.is_cut,
                    )
                )
        ledger.reserve(
            run.conn,
            run.run_id,
            asked,
            prices,
            [
                Entry(item.work_key, item.reserved_usd, custom_id)
                for custom_id, item in zip(custom_ids, items, strict=True)
            ],
            is_batch=True,
        )
        run.conn.execute(
            "update analysis.chat_work set state = 'submitted', reason = null, next_retry_at = null "
            "where classifier = 'claude' and work_key = any(%s) and state in ('pending', 'budget_deferred')",
            [[item.work_key for item in items]],
        )
    return batch, custom_ids


def _custom_id(work_key: str, salt: str) -> str:
    """Not the same in two batches, nor in a copy of this warehouse: a batch that is found is known by them."""
    return "c_" + hashlib.sha256(f"{work_key}|{salt}".encode()).hexdigest()[:40]


def _submitted(run: Run, batch: _Batch, batch_id: str) -> None:
    run.conn.execute(
        "update analysis.batches set state = 'submitted', batch_id = %s, submitted_at = now() where id = %s",
        [batch_id, batch.id],
    )
    log.info("Claude: batch %s with %d requests is submitted", batch_id, batch.requests)


def _look_for(run: Run, batch: _Batch) -> None:
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
                _submitted(run, batch, one.id)
                return
            may_be |= is_ours is None
    except (anthropic.AnthropicError, ValueError, AttributeError, KeyError, TypeError) as fault:
        log.warning("batches could not be listed (%s): looked for again later", type(fault).__name__)
        return
    age = datetime.now(UTC) - batch.intended_at
    if not may_be and age > GRACE:
        _give_up(run, batch, "the API knows of no such batch")
    elif age > 2 * PATIENCE:  # a batch ends within a day
        _lose(run, batch, "it is not known which of the API's batches it is")


def _size(one: Any) -> int:
    counts = getattr(one, "request_counts", None)
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    return sum(getattr(counts, name, None) or 0 for name in names)


def _is_ours(run: Run, batch: _Batch, batch_id: str) -> bool | None:
    """None where its results do not say."""
    items, custom_ids = _items(run, batch), list[str]()
    try:
        with closing(run.claude.client.messages.batches.results(batch_id)) as results:
            custom_ids.extend(_custom_id_of(line) for line in islice(results, LOOKED_AT))
    except Exception as fault:  # a cut stream comes out of the SDK as faults of several libraries
        log.warning("the results of batch %s could not be read (%s)", batch_id, type(fault).__name__)
        return any(custom_id in items for custom_id in custom_ids) or None
    return any(custom_id in items for custom_id in custom_ids) if custom_ids else None


def _custom_id_of(line: Any) -> str:
    custom_id = getattr(line, "custom_id", None)
    return custom_id if isinstance(custom_id, str) else ""


def _give_up(run: Run, batch: _Batch, note: str) -> None:
    """A batch that never came about: nothing is charged, and its chats wait again."""
    log.warning("Claude: a batch of %d requests did not come about: %s", batch.requests, note)
    with run.conn.transaction():
        run.conn.execute("update analysis.batches set state = 'failed', note = %s where id = %s", [note, batch.id])
        run.conn.execute(
            "update ops.ai_usage_ledger as ledger set status = 'released', outcome = 'not sent', settled_at = now() "
            "from analysis.batch_items as item "
            "where item.batch = %s and ledger.custom_id = item.custom_id and ledger.status = 'reserved'",
            [batch.id],
        )
        run.conn.execute(
            "update analysis.chat_work as work set state = 'pending' from analysis.batch_items as item "
            "where item.batch = %s and work.classifier = 'claude' and work.work_key = item.work_key "
            "and work.state = 'submitted'",
            [batch.id],
        )
        run.conn.execute(
            "update analysis.batch_items set outcome = 'not sent', sent = null where batch = %s", [batch.id]
        )


def _poll(run: Run, batch: _Batch) -> None:
    import anthropic  # noqa: PLC0415  seconds

    assert batch.batch_id is not None
    try:
        state = run.claude.client.messages.batches.retrieve(batch.batch_id)
    except anthropic.NotFoundError:
        _not_yet_known(run, batch, "the API does not know it")
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
        _collect(run, batch, _size(state))
    elif getattr(state, "archived_at", None):
        _lose(run, batch, "its results are gone: they are kept for 29 days")
    else:
        _not_yet_known(run, batch, "it has ended, and its results are not there")


def _collect(run: Run, batch: _Batch, counted: int) -> None:
    """Keep results as they come. Where they break off or are not all there, what came is kept, and the rest is for the
    next look: it may be paid.

    Args:
        counted: results that the API counts, for the log.
    """
    items, strange, slice_, broken = _items(run, batch), 0, list[Finished](), list[str]()
    for line in _lines(run, batch, broken):
        item = items.get(_custom_id_of(line))
        if item is None:
            strange += 1
        elif not item.is_done:
            slice_.append(item.finished(_outcome(getattr(line, "result", None))))
            item.is_done = True
        if len(slice_) >= SLICE:
            _keep(run, slice_)
            slice_ = []
    _keep(run, slice_)
    if broken:
        log.warning("batch %s: its results broke off (%s); they are taken up again", batch.batch_id, broken[0])
        return
    if strange:
        log.warning("batch %s: %d results are for none of our requests", batch.batch_id, strange)
    missing = sum(not item.is_done for item in items.values())
    if missing:
        _not_yet_known(run, batch, f"{missing} of its {batch.requests} results did not come; the API counts {counted}")
        return
    run.conn.execute(
        "update analysis.batches set state = 'collected', collected_at = now(), incomplete_since = null, note = null "
        "where id = %s",
        [batch.id],
    )
    _stop_if_all_are_rejected(run, batch)


def _lines(run: Run, batch: _Batch, broken: list[str]) -> Iterator[Any]:
    """The results until they end or break off; `broken` then names the fault."""
    assert batch.batch_id is not None
    try:
        yield from run.claude.client.messages.batches.results(batch.batch_id)
    except Exception as fault:  # a cut stream comes out of the SDK as faults of several libraries
        broken.append(type(fault).__name__)


def _keep(run: Run, slice_: Sequence[Finished]) -> None:
    """Keep answers, and say of their items how they ended, together."""
    if not slice_:
        return
    with run.conn.transaction():
        outcomes.keep(run, slice_)
        run.conn.execute(
            "update analysis.batch_items as item set outcome = new.outcome, sent = null "
            "from unnest(%s::bigint[], %s::text[]) as new (ledger_id, outcome) "
            "join ops.ai_usage_ledger as ledger using (ledger_id) where item.custom_id = ledger.custom_id",
            ([one.ledger_id for one in slice_], [one.outcome.status for one in slice_]),
        )


def _outcome(result: Any) -> Outcome:
    """By the name of its type: the SDK makes what it does not know into what it knows."""
    kind_of_result = getattr(result, "type", None)
    if kind_of_result == "succeeded":
        try:
            return outcome_of(result.message, request_id=result.message.id)
        except (AttributeError, TypeError):  # not a message, whatever it calls itself
            return Outcome("unknown")
    if kind_of_result == "errored":
        error = getattr(getattr(result, "error", None), "error", None)
        kind = str(getattr(error, "type", None) or "error")
        return Outcome("rejected" if kind == "invalid_request_error" else "unavailable", error_type=kind)
    if kind_of_result in ("expired", "canceled"):
        return Outcome(kind_of_result)
    return Outcome("unknown")


def _not_yet_known(run: Run, batch: _Batch, note: str) -> None:
    """Ask again at the next look, until it is given up."""
    row = run.conn.execute(
        "update analysis.batches set incomplete_since = coalesce(incomplete_since, now()), note = %s where id = %s "
        "returning incomplete_since",
        [note, batch.id],
    ).fetchone()
    assert row is not None
    if row[0] < datetime.now(UTC) - PATIENCE:
        _lose(run, batch, f"{note}, for a day")
    else:
        log.warning("Claude: batch %s: %s; it is asked for again", batch.batch_id, note)


def _lose(run: Run, batch: _Batch, note: str) -> None:
    """A batch whose results nobody can get: perhaps paid, so not sent again unless somebody says so (retry_dead)."""
    log.warning("Claude: batch %s is lost: %s", batch.batch_id, note)
    _keep(run, [item.finished(Outcome("lost")) for item in _items(run, batch).values() if not item.is_done])
    run.conn.execute("update analysis.batches set state = 'lost', note = %s where id = %s", [note, batch.id])


def _stop_if_all_are_rejected(run: Run, batch: _Batch) -> None:
    """What the API finds fault with in every request is a fault of ours, not of the chats: they wait on."""
    row = run.conn.execute(
        "select bool_and(outcome = 'rejected') from analysis.batch_items where batch = %s", [batch.id]
    ).fetchone()
    if row and row[0] and batch.requests > 1:
        run.conn.execute(
            "update analysis.chat_work as work set state = 'pending', attempts = 0 from analysis.batch_items as item "
            "where item.batch = %s and work.classifier = 'claude' and work.work_key = item.work_key "
            "and work.state = 'dead'",
            [batch.id],
        )
        raise Misconfigured("the API rejects every request of a batch: look at the model and the effort")


@dataclass(slots=True)
class _Item:
    batch: _Batch
    work_key: str
    sent: Sent
    ledger_id: int
    reserved_usd: float
    is_done: bool

    def finished(self, outcome: Outcome) -> Finished:
        return Finished(
            self.ledger_id, self.work_key, self.reserved_usd, outcome, self.sent, self.batch.asked, self.batch.batch_id
        )


def _items(run: Run, batch: _Batch) -> dict[str, _Item]:
    rows = run.conn.execute(
        """
        select item.custom_id, item.work_key, coalesce(item.sent, '[]'), item.messages_total, item.is_truncated,
            ledger.ledger_id, ledger.reserved_usd::float, item.outcome is not null
        from analysis.batch_items as item
        inner join ops.ai_usage_ledger as ledger on ledger.custom_id = item.custom_id
        where item.batch = %s
        """,
        [batch.id],
    )
    return {row[0]: _Item(batch, row[1], Sent(row[2], row[3], row[4]), *row[5:]) for row in rows}


def _open(run: Run) -> list[_Batch]:
    rows = run.conn.execute(
        """
        select id, batch_id, request_count, intended_at, submitted_at,
            version, model, endpoint, prompt_version, schema_version, redactor_version
        from analysis.batches where state in ('intended', 'submitted') and endpoint = %s order by id
        """,
        [run.claude.identity.endpoint],
    )
    return [_Batch(row[0], row[1], Identity(*row[5:]), row[2], row[3], row[4]) for row in rows]


def size(parameters: dict[str, Any]) -> int:
    """Bytes of a request in a batch's body."""
    return len(json.dumps(parameters, ensure_ascii=False).encode()) + 100
