"""What becomes of a request: its answer is kept, or it is sent again, or given up with a reason."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from dagster_project.analysis import store
from dagster_project.analysis.claude import ledger
from dagster_project.analysis.claude.classifier import Identity, Prepared, categorization
from dagster_project.analysis.claude.ledger import Settlement
from dagster_project.analysis.claude.messages import Outcome
from dagster_project.analysis.claude.run import CLASSIFIER, Run
from dagster_project.analysis.store import Audit, Classification

MAX_ATTEMPTS = 3
FIRST_PAUSE = timedelta(minutes=10)  # before a chat is sent again; four times as long after each attempt
_NO_USE = ("truncated", "invalid")
_PERHAPS_PAID = ("lost", "unknown")


@dataclass(frozen=True, slots=True)
class Sent:
    """What went out for a piece of work, for the answer's audit: the messages as JSON, and how many of how many."""

    messages: list[dict[str, Any]]
    total: int
    is_cut: bool

    @classmethod
    def of(cls, chat: Prepared) -> "Sent":
        lines = [{"from": "customer" if one.incoming else "agent", "text": one.text} for one in chat.messages]
        return cls(lines, chat.total, chat.is_cut)


@dataclass(frozen=True, slots=True)
class Finished:
    """A request that has come to an end; `reserved_usd` of one send, `batch_id` where it was in a batch."""

    ledger_id: int
    cache_key: str
    reserved_usd: float
    outcome: Outcome
    sent: Sent
    asked: Identity
    batch_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: str
    reason: str | None = None
    counts: bool = True  # as an attempt
    next_retry_at: datetime | None = None


def keep(run: Run, finished: Sequence[Finished]) -> None:
    """Settle requests, keep their classifications, and say so of the chats: one transaction."""
    now = datetime.now(UTC)
    with run.conn.transaction():
        tries = _tries_before(run, [one.cache_key for one in finished])
        verdicts = {one.cache_key: _verdict(one, *tries.get(one.cache_key, (0, None)), now) for one in finished}
        settlements = [_settlement(run, one) for one in finished]
        ledger.settle(run.conn, settlements)
        classifications = [
            _answer(one, settled, run.claude.prices.version, now)
            for one, settled in zip(finished, settlements, strict=True)
            if verdicts[one.cache_key].state == "classified"
        ]
        ids = store.keep_classifications(run.conn, classifications)
        chats = _tell_chats(run, finished, verdicts, ids)
    for one, settled in zip(finished, settlements, strict=True):
        run.counts.add(one.outcome.usage, settled.cost_usd, settled.uncertain_usd)
        run.counts.answers += 1
        run.counts.ended[one.cache_key] = verdicts[one.cache_key].state, chats.get(one.cache_key, 0)
        run.counts.models |= {one.outcome.model} if one.outcome.model else set()
        run.say_how_far()
    for classification in classifications:
        run.counts.intents[classification.found.intent] += chats.get(classification.cache_key, 0)


def _tries_before(run: Run, cache_keys: list[str]) -> dict[str, tuple[int, str | None]]:
    rows = run.conn.execute(
        """
        select cache_key, max(attempts), max(last_error_type)
        from analysis.classification_queue where classifier = 'claude' and cache_key = any(%s) group by cache_key
        """,
        [cache_keys],
    )
    return {key: (attempts, error) for key, attempts, error in rows}


def _verdict(one: Finished, attempts: int, error_before: str | None, now: datetime) -> _Verdict:
    outcome = one.outcome
    if outcome.model and "claude-" not in outcome.model:
        return _Verdict("dead_lettered", "answered by something that does not call itself Claude")
    if outcome.status == "ok":
        return _Verdict("classified")
    if outcome.status == "refused":
        return _Verdict("refused", "the model declines to answer")
    if outcome.status == "rejected":
        return _Verdict("dead_lettered", f"the API rejects the request ({outcome.error_type})")
    if outcome.status in _NO_USE:
        if error_before not in _NO_USE:
            return _Verdict("pending", f"the answer was {outcome.status}, and is asked for once more")
        if categorization(outcome.checked):
            return _Verdict("classified")  # without the half that is not valid
        faults = "; ".join(outcome.checked.faults) if outcome.checked else outcome.status
        return _Verdict("dead_lettered", f"no valid answer in two tries: {faults}"[:500])
    if outcome.status == "lost":
        return _Verdict("dead_lettered", "the result of its batch cannot be had, and may be paid already")
    counts = outcome.uncertain_sends > 0 or outcome.status != "unavailable"
    attempts += counts
    what = outcome.error_type or outcome.status
    if attempts >= MAX_ATTEMPTS:
        return _Verdict("dead_lettered", f"no answer in {attempts} attempts ({what})")
    return _Verdict("pending", f"no answer ({what})", counts, now + FIRST_PAUSE * 4**attempts)


def _settlement(run: Run, one: Finished) -> Settlement:
    outcome, usage, in_batch = one.outcome, one.outcome.usage, one.batch_id is not None
    day = datetime.now(UTC).date()
    cost = round(run.claude.prices.cost(one.asked.model, usage, day, batch=in_batch), 8)
    perhaps = one.reserved_usd * (1 if outcome.status in _PERHAPS_PAID else outcome.uncertain_sends)
    status = "lost" if outcome.status in _PERHAPS_PAID else "settled" if cost or perhaps else "released"
    return Settlement(
        one.ledger_id,
        status,
        outcome.status,
        _provider(outcome.model),
        cost,
        round(perhaps, 8),
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        usage.cache_read_tokens,
        usage.thinking_tokens,
        outcome.request_id,
    )


def _answer(one: Finished, settled: Settlement, price_version: str, now: datetime) -> Classification:
    outcome, found = one.outcome, categorization(one.outcome.checked)
    assert found is not None
    assert outcome.checked is not None
    assert outcome.model is not None
    audit = Audit(
        one.asked.prompt_version,
        one.asked.schema_version,
        one.asked.redactor_version,
        outcome.request_id,
        one.batch_id,
        settled.input_tokens,
        settled.output_tokens,
        settled.cache_write_tokens,
        settled.cache_read_tokens,
        settled.thinking_tokens,
        price_version,
        outcome.stop_reason,
        outcome.latency_ms,
        one.sent.total,
        len(one.sent.messages),
        one.sent.is_cut,
    )
    exchange = {"sent": one.sent.messages, "answer": asdict(found), "faults": outcome.checked.faults}
    return Classification(
        one.cache_key,
        CLASSIFIER,
        one.asked.version,
        _provider(outcome.model),
        outcome.model,
        found,
        settled.cost_usd,
        now,
        audit,
        exchange,
    )


def _provider(model: str | None) -> str:
    return "fake" if model and model.startswith("fake-") else "anthropic"


def _tell_chats(
    run: Run, finished: Sequence[Finished], verdicts: dict[str, _Verdict], ids: dict[str, int]
) -> dict[str, int]:
    """Chats by cache key."""
    news = [
        {
            "cache_key": one.cache_key,
            "state": verdict.state,
            "reason": verdict.reason,
            "counts": int(verdict.counts),
            "classification_id": ids.get(one.cache_key),
            "next_retry_at": verdict.next_retry_at and str(verdict.next_retry_at),
            "error": None if one.outcome.status == "ok" else one.outcome.error_type or one.outcome.status,
            "status": one.outcome.status,
            "request_id": one.outcome.request_id,
        }
        for one in finished
        if (verdict := verdicts[one.cache_key])
    ]
    rows = run.conn.execute(
        """
        with told as (
            update analysis.classification_queue as work set
                state = new.state, reason = new.reason,
                classification_id = coalesce(new.classification_id, work.classification_id),
                attempts = work.attempts + new.counts,
                last_error_type = case when new.status in ('truncated', 'invalid') then new.status else new.error end,
                last_request_id = coalesce(new.request_id, work.last_request_id), next_retry_at = new.next_retry_at
            from jsonb_to_recordset(%s) as new (
                cache_key text, state text, reason text, classification_id bigint, counts smallint,
                next_retry_at timestamptz, error text, status text, request_id text)
            where
                work.classifier = 'claude' and work.cache_key = new.cache_key
                and work.state in ('pending', 'submitted', 'budget_deferred')
            returning work.cache_key
        )
        select cache_key, count(*) from told group by cache_key
        """,
        [Jsonb(news)],
    )
    return dict(rows.fetchall())
