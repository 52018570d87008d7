"""What the steps of a run that asks Claude share: its limits, and what it has done so far."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg

from dagster_project.analysis.claude.budget import Budget
from dagster_project.analysis.claude.classifier import ClaudeClassifier
from dagster_project.analysis.claude.prices import Usage

log = logging.getLogger(__name__)

CLASSIFIER = "claude"
MIN_STEP = 25  # classifications between two lines in the log
BROKEN = ("dead_lettered", "refused")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may do.

    Attributes:
        idle: how long a chat that is not closed must be silent to be idle.
        run_cap, month_cap: USD.
        refresh_expired: ask again where the classification is older than 30 days.
        retry_dead: ask again where asking was given up.
        batch_above: requests above which they go as message batches, at half the price.
        batch_wait: how long to wait for batches; the next run resumes what is not done then.
    """

    idle: timedelta
    run_cap: float
    month_cap: float
    refresh_expired: bool = False
    retry_dead: bool = False
    batch_above: int = 50
    batch_wait: timedelta = timedelta(minutes=5)


@dataclass(slots=True)
class Counts:
    """What was done.

    Attributes:
        processed: chats, by what they turned out to be before anything was sent.
        reused: chats that took a classification that was there.
        requests: that went out, or into a batch.
        ended: by cache key, the state that its last classification led to, and how many chats share it.
        usage: tokens that were paid for.
        uncertain_usd: at most, for sends that may have been charged although no answer came.
    """

    processed: Counter[str] = field(default_factory=Counter)
    reused: int = 0
    requests: int = 0
    answers: int = 0
    ended: dict[str, tuple[str, int]] = field(default_factory=dict)
    intents: Counter[str] = field(default_factory=Counter)
    models: set[str] = field(default_factory=set)
    usage: Counter[str] = field(default_factory=Counter)
    cost_usd: float = 0.0
    uncertain_usd: float = 0.0

    def add(self, usage: Usage, cost_usd: float, uncertain_usd: float) -> None:
        """Count what a request took."""
        self.usage += Counter(
            input=usage.input_tokens,
            output=usage.output_tokens,
            cache_read=usage.cache_read_tokens,
            cache_write=usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        )
        self.cost_usd += cost_usd
        self.uncertain_usd += uncertain_usd

    def chats(self, *states: str) -> int:
        """Chats whose last classification led to one of these states."""
        return sum(chats for state, chats in self.ended.values() if state in states)


@dataclass(slots=True)
class Run:
    """One run: where it works, with what, how far it may go, and how far it is."""

    conn: psycopg.Connection
    claude: ClaudeClassifier
    limits: Limits
    run_id: str
    chat_ids: Sequence[str] | None = None
    sleep: Callable[[float], None] = time.sleep
    counts: Counts = field(default_factory=Counts)
    began: float = field(default_factory=time.monotonic)
    to_do: int = 0
    waited: float = 0.0  # seconds, for batches
    broken_in_a_row: list[str] = field(default_factory=list)

    def read_budget(self) -> Budget:
        """What the ledger leaves of the caps just now."""
        return Budget.read(
            self.conn,
            self.claude.identity.endpoint,
            self.run_id,
            run_cap=self.limits.run_cap,
            month_cap=self.limits.month_cap,
        )

    def say_how_far(self) -> None:
        """Some twenty lines in the log: how many classifications, how fast, at what cost, how long still."""
        done = self.counts.answers
        if not done or (done % max(MIN_STEP, self.to_do // 20) and done < self.to_do):
            return
        seconds = max(time.monotonic() - self.began, 0.001)
        left = max(self.to_do - done, 0) * seconds / done
        log.info(
            "Claude: %d of %d requests answered, %.1f a second, %.4f USD so far, about %.0f s left",
            done,
            self.to_do,
            done / seconds,
            self.counts.cost_usd,
            left,
        )
