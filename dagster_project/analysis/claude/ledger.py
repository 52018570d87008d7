"""What is spent on language models: a request is entered before it is sent, and settled with what it cost."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.analysis.claude.classifier import Identity


@dataclass(frozen=True, slots=True)
class Entry:
    """A request that is about to be sent; `reserved_usd` is the most that it can cost."""

    cache_key: str
    reserved_usd: float
    custom_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a request came to.

    Attributes:
        status: settled; released (not charged); lost (nobody knows).
        outcome: as in claude.messages, or what the batch said.
        uncertain_usd: at most, for sends that may have been charged although no answer came.
    """

    ledger_id: int
    status: str
    outcome: str
    model_vendor: str = "anthropic"
    cost_usd: float = 0
    uncertain_usd: float = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    thinking_tokens: int = 0
    request_id: str | None = None


def reserve(
    conn: psycopg.Connection,
    run_id: str,
    asked: Identity,
    price_version: str,
    entries: Sequence[Entry],
    *,
    is_batch: bool,
) -> dict[str, int]:
    """Enter requests. Returns their ledger ids by cache key."""
    return dict(
        conn.execute(
            """
        insert into ops.ai_usage_ledger (
            run_id, day, endpoint, model_vendor, model, is_batch, price_version, cache_key, reserved_usd, custom_id)
        select %s, %s, %s, 'anthropic', %s, %s, %s, new.*
        from unnest(%s::text[], %s::numeric[], %s::text[]) as new
        returning cache_key, ledger_id
        """,
            (
                run_id,
                _today(),
                asked.endpoint,
                asked.model,
                is_batch,
                price_version,
                [one.cache_key for one in entries],
                [round(one.reserved_usd, 8) for one in entries],
                [one.custom_id for one in entries],
            ),
        ).fetchall()
    )


def reserve_more(conn: psycopg.Connection, ledger_id: int, usd: float) -> None:
    """Enter that a request is sent once more: the send before may be charged as well."""
    conn.execute(
        "update ops.ai_usage_ledger set reserved_usd = reserved_usd + %s where ledger_id = %s and status = 'reserved'",
        [round(usd, 8), ledger_id],
    )


def settle(conn: psycopg.Connection, settlements: Sequence[Settlement]) -> None:
    """Write down what requests came to; one that is settled already stays as it is."""
    conn.execute(
        """
        update ops.ai_usage_ledger as ledger set
            status = new.status, outcome = new.outcome, model_vendor = new.model_vendor, cost_usd = new.cost_usd,
            uncertain_usd = new.uncertain_usd, input_tokens = new.input_tokens, output_tokens = new.output_tokens,
            cache_write_tokens = new.cache_write_tokens, cache_read_tokens = new.cache_read_tokens,
            thinking_tokens = new.thinking_tokens, request_id = new.request_id, settled_at = now()
        from jsonb_to_recordset(%s) as new (
            ledger_id bigint, status text, outcome text, model_vendor text, cost_usd numeric, uncertain_usd numeric,
            input_tokens integer, output_tokens integer, cache_write_tokens integer, cache_read_tokens integer,
            thinking_tokens integer, request_id text)
        where ledger.ledger_id = new.ledger_id and ledger.status = 'reserved'
        """,
        [Jsonb([asdict(one) for one in settlements])],
    )


def close_lost(conn: psycopg.Connection) -> None:
    """Single requests whose run was killed: they may have been charged. Only for who is alone."""
    conn.execute(
        "update ops.ai_usage_ledger set status = 'lost', outcome = 'run ended', uncertain_usd = reserved_usd, "
        "settled_at = now() where status = 'reserved' and not is_batch"
    )


def used_usd(conn: psycopg.Connection, endpoint: str, run_id: str) -> tuple[float, float]:
    """What counts against the caps of this run and of this month (UTC): spent, perhaps spent, and reserved."""
    row = conn.execute(
        """
        select
            coalesce(sum(usd) filter (where run_id = %s), 0)::float,
            coalesce(sum(usd), 0)::float
        from (
            select run_id, cost_usd + uncertain_usd + case when status = 'reserved' then reserved_usd else 0 end as usd
            from ops.ai_usage_ledger where endpoint = %s and day >= %s
        ) as entries
        """,
        (run_id, endpoint, _today().replace(day=1)),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def _today() -> date:
    return datetime.now(UTC).date()
