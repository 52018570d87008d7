"""Message batches and their requests as Postgres keeps them: what is meant to be sent is written down first."""

import hashlib
import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.analysis.claude import ledger
from dagster_project.analysis.claude.classifier import Identity
from dagster_project.analysis.claude.ledger import Entry
from dagster_project.analysis.claude.messages import Outcome
from dagster_project.analysis.claude.outcomes import Finished, Sent
from dagster_project.analysis.claude.run import Run

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Item:
    """A request of a batch: the work that it is for, what the API takes, and the most that it can cost."""

    cache_key: str
    parameters: dict[str, Any]
    sent: Sent
    reserved_usd: float


@dataclass(frozen=True, slots=True)
class Batch:
    id: int
    batch_id: str | None
    asked: Identity
    requests: int
    intended_at: datetime
    submitted_at: datetime | None


@dataclass(slots=True)
class Request:
    batch: Batch
    cache_key: str
    sent: Sent
    ledger_id: int
    reserved_usd: float
    is_done: bool

    def finished(self, outcome: Outcome) -> Finished:
        return Finished(
            self.ledger_id, self.cache_key, self.reserved_usd, outcome, self.sent, self.batch.asked, self.batch.batch_id
        )


def intend(run: Run, items: Sequence[Item]) -> tuple[Batch, list[str]]:
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
                sum(request_bytes(item.parameters) for item in items),
            ),
        ).fetchone()
        assert row is not None
        batch = Batch(row[0], None, asked, len(items), row[1], None)
        salt = secrets.token_hex(16)
        custom_ids = [_custom_id(item.cache_key, salt) for item in items]
        with (
            run.conn.cursor() as cursor,
            cursor.copy(
                "copy analysis.batch_items "
                "(batch, custom_id, cache_key, sent, messages_total, messages_sent, is_truncated) from stdin"
            ) as copy,
        ):
            for custom_id, item in zip(custom_ids, items, strict=True):
                copy.write_row(
                    (
                        batch.id,
                        custom_id,
                        item.cache_key,
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
                Entry(item.cache_key, item.reserved_usd, custom_id)
                for custom_id, item in zip(custom_ids, items, strict=True)
            ],
            is_batch=True,
        )
        run.conn.execute(
            "update analysis.classification_queue set state = 'submitted', reason = null, next_retry_at = null "
            "where classifier = 'claude' and cache_key = any(%s) and state in ('pending', 'budget_deferred')",
            [[item.cache_key for item in items]],
        )
    return batch, custom_ids


def open_batches(run: Run) -> list[Batch]:
    rows = run.conn.execute(
        """
        select id, batch_id, request_count, intended_at, submitted_at,
            version, model, endpoint, prompt_version, schema_version, redactor_version
        from analysis.batches where state in ('intended', 'submitted') and endpoint = %s order by id
        """,
        [run.claude.identity.endpoint],
    )
    return [Batch(row[0], row[1], Identity(*row[5:]), row[2], row[3], row[4]) for row in rows]


def requests_of(run: Run, batch: Batch) -> dict[str, Request]:
    rows = run.conn.execute(
        """
        select item.custom_id, item.cache_key, coalesce(item.sent, '[]'), item.messages_total, item.is_truncated,
            ledger.ledger_id, ledger.reserved_usd::float, item.outcome is not null
        from analysis.batch_items as item
        inner join ops.ai_usage_ledger as ledger on ledger.custom_id = item.custom_id
        where item.batch = %s
        """,
        [batch.id],
    )
    return {row[0]: Request(batch, row[1], Sent(row[2], row[3], row[4]), *row[5:]) for row in rows}


def overdue(conn: psycopg.Connection) -> tuple[int, datetime] | None:
    """A batch that is open and has not been looked at for ten minutes: its id, and when it was last looked at."""
    return conn.execute("""
        select id, coalesce(polled_at, intended_at) from analysis.batches
        where state in ('intended', 'submitted') and coalesce(polled_at, intended_at) < now() - interval '10 minutes'
        order by 2 limit 1
    """).fetchone()


def submitted(run: Run, batch: Batch, batch_id: str) -> None:
    run.conn.execute(
        "update analysis.batches set state = 'submitted', batch_id = %s, submitted_at = now() where id = %s",
        [batch_id, batch.id],
    )
    log.info("Claude: batch %s with %d requests is submitted", batch_id, batch.requests)


def give_up(run: Run, batch: Batch, note: str) -> None:
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
            "update analysis.classification_queue as work set state = 'pending' from analysis.batch_items as item "
            "where item.batch = %s and work.classifier = 'claude' and work.cache_key = item.cache_key "
            "and work.state = 'submitted'",
            [batch.id],
        )
        run.conn.execute(
            "update analysis.batch_items set outcome = 'not sent', sent = null where batch = %s", [batch.id]
        )


def request_bytes(parameters: dict[str, Any]) -> int:
    """Bytes of a request in a batch's body."""
    return len(json.dumps(parameters, ensure_ascii=False).encode()) + 100


def _custom_id(cache_key: str, salt: str) -> str:
    """Not the same in two batches, nor in a copy of this warehouse: a batch that is found is known by them."""
    return "c_" + hashlib.sha256(f"{cache_key}|{salt}".encode()).hexdigest()[:40]
