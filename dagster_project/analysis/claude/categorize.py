"""Categorizing chats by Claude: what is new is asked for once, within the caps, and nothing is ever paid for twice.

A run looks at the chats, reuses what is known, and sends the rest: one by one where they are few, else in batches. It
goes round until there is nothing left that it may send: what an answer did not cost pays for more, an answer that was
cut is asked for again. Whatever is not done stays written down, and the next run goes on from there.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import psycopg

from dagster_project.analysis.claude import batches, ledger, outcomes
from dagster_project.analysis.claude import work as claude_work
from dagster_project.analysis.claude.batch_rows import Item, request_bytes
from dagster_project.analysis.claude.budget import Budget
from dagster_project.analysis.claude.classifier import ClaudeClassifier, Prepared
from dagster_project.analysis.claude.ledger import Entry, Settlement
from dagster_project.analysis.claude.messages import Misconfigured, StopRun
from dagster_project.analysis.claude.outcomes import Finished, Sent
from dagster_project.analysis.claude.run import BROKEN, Limits, Run
from dagster_project.analysis.claude.work import Candidate
from dagster_project.analysis.lock import alone

log = logging.getLogger(__name__)

PREPARED = 200  # chats at a time
MAX_IN_A_ROW = 3  # requests that fail the same way, before it is taken for the API's fault or ours
MIN_PAUSE, MAX_PAUSE = 10.0, 60.0  # seconds between two looks at a batch


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did.

    Attributes:
        processed: chats that were new, by what they turned out to be.
        reused: chats that took a classification that was there.
        requests: sent.
        classified, dead_lettered, refused: chats, by what was asked in this run.
        failed: chats whose last request brought no answer, those that are tried again among them.
        waiting: chats without a classification yet, by state: pending, submitted, budget_deferred.
        uncertain_usd: at most, for sends that may have been charged although no answer came.
        budget_left: USD, of the narrower cap.
        stopped: why the run ended early; None where it did not.
    """

    processed: Counter[str]
    reused: int
    requests: int
    classified: int
    dead_lettered: int
    refused: int
    failed: int
    waiting: dict[str, int]
    intents: Counter[str]
    models: tuple[str, ...]
    usage: Counter[str]
    cost_usd: float
    uncertain_usd: float
    budget_left: float
    stopped: str | None
    seconds: float

    @property
    def is_partial(self) -> bool:
        """Whether something that was to be done is not."""
        return bool(self.stopped or self.waiting or self.dead_lettered or self.refused)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would do, from the length of texts; nothing is sent for it.

    Attributes:
        chats: that wait for an answer; `requests` are fewer where chats say the same.
        tokens_low, tokens_high: in and out.
        affordable: requests that fit the caps, at their highest.
        is_batch: whether they would go as batches.
    """

    chats: int
    reused: int
    processed: Counter[str]
    requests: int
    tokens_low: int
    tokens_high: int
    usd_low: float
    usd_high: float
    affordable: int
    is_batch: bool
    budget_left: float


def categorize_by_claude(
    conn: psycopg.Connection,
    claude: ClaudeClassifier,
    *,
    limits: Limits,
    run_id: str,
    chat_ids: Sequence[str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Ask Claude for every chat that has no classification of this version. A killed run is simply run again.

    Args:
        conn: autocommits.
        run_id: what the ledger names the run.
        chat_ids: these only.

    Raises:
        Misconfigured: the key is refused, or the API finds fault with every request.
        Busy: another run has been at it for long.
    """
    run = Run(conn, claude, limits, run_id, list(chat_ids) if chat_ids is not None else None, sleep)
    stopped = None
    try:
        with alone(conn):
            ledger.close_lost(conn)
            batches.resume(run)
            claude_work.process(run)
        while _round(run):
            pass
    except Misconfigured:
        raise
    except StopRun as reason:
        stopped = str(reason)
        log.warning("Claude: the run ends early: %s", stopped)
    return _result(run, stopped)


def estimate(
    conn: psycopg.Connection,
    claude: ClaudeClassifier,
    *,
    limits: Limits,
    run_id: str,
    chat_ids: Sequence[str] | None = None,
) -> Estimate:
    """What `categorize_by_claude` would do and cost at most; sends nothing and changes nothing."""
    run = Run(conn, claude, limits, run_id, list(chat_ids) if chat_ids is not None else None)
    with alone(conn), conn.transaction(force_rollback=True):
        claude_work.process(run)
        claude_work.reuse(run)
        waiting, budget = claude_work.candidates(run), run.read_budget()
        as_batch, chats = len(waiting) > limits.batch_above, sum(claude_work.waiting(run).values())
        low, high, usd_low, usd_high, affordable, left = 0, 0, 0.0, 0.0, 0, budget.left
        for one, chat in _prepared(run, waiting):
            fewest, most = claude.fewest_tokens(chat), claude.most_tokens(chat, with_more_room=one.was_cut)
            low += fewest.all_input + fewest.output_tokens
            high += most.all_input + most.output_tokens
            usd_low += claude.cost(fewest, batch=as_batch)
            usd_high += (most_usd := claude.cost(most, batch=as_batch))
            affordable += budget.take(most_usd)
    return Estimate(
        chats,
        run.counts.reused,
        run.counts.processed,
        len(waiting),
        low,
        high,
        usd_low,
        usd_high,
        affordable,
        as_batch,
        left,
    )


def _round(run: Run) -> bool:
    """Send what may be sent and collect what comes back; whether another round could bring more."""
    before = run.counts.requests, run.counts.answers
    with alone(run.conn):
        claude_work.reuse(run)
        waiting, budget = claude_work.candidates(run), run.read_budget()
        run.to_do = run.counts.answers + len(waiting)
        if len(waiting) <= run.limits.batch_above:
            _one_by_one(run, waiting, budget)
        else:
            _in_batches(run, waiting, budget)
    _wait(run)
    return (run.counts.requests, run.counts.answers) != before


def _one_by_one(run: Run, waiting: Sequence[Candidate], budget: Budget) -> None:
    for one, chat in _prepared(run, waiting):
        if not _ask(run, one, chat, budget):
            _defer(run, waiting[waiting.index(one) :], budget)
            return


def _ask(run: Run, one: Candidate, chat: Prepared, budget: Budget) -> bool:
    """Ask for one chat; False where the caps do not allow it."""
    worst = run.claude.cost(run.claude.most_tokens(chat, with_more_room=one.was_cut))
    if not budget.take(worst):
        return False
    asked = run.claude.identity
    entry = ledger.reserve(
        run.conn, run.run_id, asked, run.claude.prices.version, [Entry(one.cache_key, worst)], is_batch=False
    )
    ledger_id, reserved = entry[one.cache_key], worst

    def reserve_again() -> bool:
        nonlocal reserved
        if not budget.take(worst):
            return False
        ledger.reserve_more(run.conn, ledger_id, worst)
        reserved += worst
        return True

    run.counts.requests += 1
    try:
        outcome = run.claude.ask(chat, with_more_room=one.was_cut, may_pay_again=reserve_again)
    except StopRun as stop:
        perhaps = worst * stop.uncertain_sends
        status = "lost" if perhaps else "released"
        ledger.settle(run.conn, [Settlement(ledger_id, status, "refused by the API", uncertain_usd=perhaps)])
        raise
    spent = run.counts.cost_usd + run.counts.uncertain_usd
    outcomes.keep(run, [Finished(ledger_id, one.cache_key, worst, outcome, Sent.of(chat), asked)])
    budget.give_back(reserved - (run.counts.cost_usd + run.counts.uncertain_usd - spent))
    _stop_if_it_is_not_the_chat(run, one, outcome.status)
    return True


def _stop_if_it_is_not_the_chat(run: Run, one: Candidate, status: str) -> None:
    """Several chats in a row that fail: the API is down, or what we send is wrong. The chats are not to blame."""
    if status not in ("unavailable", "rejected"):
        run.broken_in_a_row = []
        return
    run.broken_in_a_row.append(one.cache_key)
    if len(run.broken_in_a_row) < MAX_IN_A_ROW:
        return
    if status == "unavailable":
        raise StopRun("the API does not answer: what is not done stays pending")
    run.conn.execute(
        "update analysis.classification_queue set state = 'pending', attempts = 0, reason = null "
        "where classifier = 'claude' and state = 'dead_lettered' and cache_key = any(%s)",
        [run.broken_in_a_row],
    )
    raise Misconfigured("the API rejects every request (HTTP 400): look at the model and the effort")


def _in_batches(run: Run, waiting: Sequence[Candidate], budget: Budget) -> None:
    """A first chat by itself, for a fault of ours would be paid for by thousands; then the rest in batches."""
    ready, sent = iter(_prepared(run, waiting)), set[str]()
    for one, chat in ready:
        if not _ask(run, one, chat, budget):
            break
        sent.add(one.cache_key)
        if not run.broken_in_a_row:
            break
    for items in _batches(run, ready, budget):
        batches.submit(run, items)
        sent |= {item.cache_key for item in items}
    if budget.was_too_small:
        _defer(run, [one for one in waiting if one.cache_key not in sent], budget)


def _batches(run: Run, ready: Iterator[tuple[Candidate, Prepared]], budget: Budget) -> Iterator[list[Item]]:
    """As many requests as the caps allow, in batches that the API takes."""
    items, bytes_so_far = list[Item](), 0
    for one, chat in ready:
        worst = run.claude.cost(run.claude.most_tokens(chat, with_more_room=one.was_cut), batch=True)
        if budget.was_too_small or not budget.take(worst):
            break
        parameters = run.claude.parameters(chat, with_more_room=one.was_cut)
        size = request_bytes(parameters)
        if items and (len(items) >= batches.MAX_REQUESTS or bytes_so_far + size > batches.MAX_BYTES):
            yield items
            items, bytes_so_far = [], 0
        items.append(Item(one.cache_key, parameters, Sent.of(chat), worst))
        bytes_so_far += size
    if items:
        yield items


def _prepared(run: Run, waiting: Sequence[Candidate]) -> Iterator[tuple[Candidate, Prepared]]:
    rest = iter(waiting)
    while some := list(islice(rest, PREPARED)):
        yield from claude_work.prepare(run, some)


def _defer(run: Run, rest: Sequence[Candidate], budget: Budget) -> None:
    claude_work.defer(run, [one.cache_key for one in rest], f"over {budget.narrower}")
    log.warning("Claude: %d requests are deferred: %s allows %.4f USD more", len(rest), budget.narrower, budget.left)


def _wait(run: Run) -> None:
    """Wait for batches as long as the limit says, without the lock: others may go on meanwhile."""
    pause, limit = MIN_PAUSE, run.limits.batch_wait / timedelta(seconds=1)
    while batches.are_open(run) and run.waited + pause <= limit:
        run.sleep(pause)
        run.waited, pause = run.waited + pause, min(pause * 1.5, MAX_PAUSE)
        with alone(run.conn):
            batches.resume(run)


def _result(run: Run, stopped: str | None) -> Result:
    counts, waiting = run.counts, claude_work.waiting(run)
    return Result(
        counts.processed,
        counts.reused,
        counts.requests,
        counts.chats("classified"),
        counts.chats("dead_lettered"),
        counts.chats("refused"),
        counts.chats(*BROKEN, "pending"),
        waiting,
        counts.intents,
        tuple(sorted(counts.models)),
        counts.usage,
        counts.cost_usd,
        counts.uncertain_usd,
        run.read_budget().left,
        stopped,
        time.monotonic() - run.began,
    )
