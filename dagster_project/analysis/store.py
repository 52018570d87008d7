"""Where classifications and the state of chats are kept: set-based, inside the transaction of whoever calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.analysis.taxonomy import taxonomy
from dagster_project.analysis.taxonomy.categorization import Categorization


@dataclass(frozen=True, slots=True)
class Audit:
    """How a language model's answer came about, and what it took; the names are the table's."""

    prompt_version: str
    schema_version: str
    redactor_version: str
    request_id: str | None
    batch_id: str | None
    input_tokens: int
    output_tokens: int
    cache_write_tokens: int
    cache_read_tokens: int
    thinking_tokens: int
    price_version: str
    stop_reason: str | None
    latency_ms: int | None
    messages_total: int
    messages_sent: int
    is_truncated: bool


@dataclass(frozen=True, slots=True)
class Classification:
    """What a classifier said of one content.

    Attributes:
        model_vendor: rules, anthropic or fake.
        model: as the answer names it.
        exchange: what was sent, redacted, and what came back; None for rules.
    """

    cache_key: str
    classifier: str
    version: str
    model_vendor: str
    model: str
    found: Categorization
    cost_usd: float
    classified_at: datetime
    audit: Audit | None = None
    exchange: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """What became of a chat; `reason` says why it has no answer, `content_key` what a person's label belongs to."""

    chat_id: str
    state: str
    load_id: int
    cache_key: str | None = None
    classification_id: int | None = None
    reason: str | None = None
    content_key: str | None = None
    injection_suspected: bool = False


_ANSWER = (
    "cache_key",
    "classifier",
    "version",
    "model_vendor",
    "model",
    "is_llm",
    *(field.name for field in taxonomy.fields()),
    "agent_quality_score",
    "confidence_score",
    "confidence_source",
    "reasoning_notes",
    "resolution_score",
    "customer_satisfaction",
    "recommendations",
    "analysis_data",
    "cost_usd",
    "classified_at",
)
_AUDIT = tuple(field.name for field in fields(Audit))
_COLUMNS = ", ".join((*_ANSWER, *_AUDIT))


def keep_classifications(conn: psycopg.Connection, classifications: Sequence[Classification]) -> dict[str, int]:
    """Add classifications; one of rules that is known already is left as it is.

    Returns:
        By cache key, the ids of those that are new.
    """
    conn.execute(
        "create temp table if not exists new_classifications (like analysis.classifications) on commit delete rows"
    )
    conn.execute("alter table pg_temp.new_classifications alter classification_id drop not null")
    conn.execute("truncate pg_temp.new_classifications")
    with conn.cursor() as cursor, cursor.copy(f"copy pg_temp.new_classifications ({_COLUMNS}) from stdin") as copy:
        for classification in classifications:
            copy.write_row(_row(classification))
    rows = conn.execute(
        f"insert into analysis.classifications ({_COLUMNS}) select {_COLUMNS} from pg_temp.new_classifications "  # noqa: S608
        "on conflict (cache_key) where model_vendor = 'rules' do nothing returning cache_key, classification_id"
    ).fetchall()
    return dict(rows)


def classifications_of_rules(conn: psycopg.Connection, cache_keys: Sequence[str]) -> dict[str, int]:
    """By cache key, the classifications of rules that there are."""
    return dict(
        conn.execute(
            "select cache_key, classification_id from analysis.classifications "
            "where model_vendor = 'rules' and cache_key = any(%s)",
            [list(cache_keys)],
        ).fetchall()
    )


def update_queue(
    conn: psycopg.Connection, classifier: str, version: str, rows: Sequence[QueueEntry], processed_at: datetime
) -> None:
    """Say of each chat what became of it. What was tried before for other content is forgotten."""
    conn.execute("""
        create temp table if not exists new_entries (
            chat_id text, state text, load_id bigint, cache_key text, classification_id bigint, reason text,
            content_key text, injection_suspected boolean
        ) on commit delete rows
    """)
    conn.execute("truncate pg_temp.new_entries")
    with conn.cursor() as cursor, cursor.copy("copy pg_temp.new_entries from stdin") as copy:
        for row in rows:
            copy.write_row(
                (
                    row.chat_id,
                    row.state,
                    row.load_id,
                    row.cache_key,
                    row.classification_id,
                    row.reason,
                    row.content_key,
                    row.injection_suspected,
                )
            )
    conn.execute(
        """
        insert into analysis.classification_queue as work (
            chat_id, classifier, version, state, reason, cache_key, classification_id, load_id, processed_at,
            content_key, injection_suspected)
        select
            chat_id, %s, %s, state, reason, cache_key, classification_id, load_id, %s, content_key, injection_suspected
        from pg_temp.new_entries
        order by chat_id
        on conflict (chat_id, classifier) do update set
            version = excluded.version, state = excluded.state, reason = excluded.reason,
            cache_key = excluded.cache_key, classification_id = excluded.classification_id,
            load_id = excluded.load_id, processed_at = excluded.processed_at,
            content_key = excluded.content_key, injection_suspected = excluded.injection_suspected,
            queued_classification_id = case
                when excluded.classification_id is null or work.content_key = excluded.content_key
                    then work.queued_classification_id
            end,
            attempts = case when work.cache_key = excluded.cache_key then work.attempts else 0 end,
            last_error_type = case when work.cache_key = excluded.cache_key then work.last_error_type end,
            last_request_id = case when work.cache_key = excluded.cache_key then work.last_request_id end,
            next_retry_at = case when work.cache_key = excluded.cache_key then work.next_retry_at end
        """,
        (classifier, version, processed_at),
    )


def choose(conn: psycopg.Connection, classifier: str, version: str) -> None:
    """Note that this classifier is the one that categorizes chats from now on."""
    conn.execute(
        """
        insert into analysis.progress (classifier, version, load_id, updated_at, chosen_at)
        values (%s, %s, 0, now(), now())
        on conflict (classifier) do update set chosen_at = excluded.chosen_at
        """,
        [classifier, version],
    )


def count_by_state(conn: psycopg.Connection) -> dict[str, int]:
    """Chats that are to be categorized: how many are answered, and how many are not and why."""
    return dict(conn.execute("select state, count(*) from analysis.current_classifications group by state").fetchall())


def remember_load(conn: psycopg.Connection, classifier: str, version: str, load_id: int) -> None:
    """Note up to which load a classifier has looked at the chats."""
    conn.execute(
        """
        insert into analysis.progress (classifier, version, load_id, updated_at) values (%s, %s, %s, now())
        on conflict (classifier) do update set
            version = excluded.version, load_id = excluded.load_id, updated_at = excluded.updated_at
        """,
        (classifier, version, load_id),
    )


def _row(new: Classification) -> tuple[object, ...]:
    found, effect = new.found, new.found.effectiveness
    by_rules = new.model_vendor == "rules"
    advice = (
        [{"text": text, "source": "rule" if by_rules else "model"} for text in effect.recommendations]
        if effect
        else None
    )
    data = new.exchange or (effect.evidence if effect else None)
    audit = [getattr(new.audit, name) for name in _AUDIT] if new.audit else [None] * len(_AUDIT)
    return (
        new.cache_key,
        new.classifier,
        new.version,
        new.model_vendor,
        new.model,
        new.model_vendor == "anthropic",
        *(found.labels.get(field.name) for field in taxonomy.fields()),
        found.agent_quality_score,
        found.confidence_score,
        "rule_margin" if by_rules else "model_verbalized",
        found.reasoning_notes,
        effect and effect.resolution_score,
        effect and effect.customer_satisfaction,
        None if advice is None else Jsonb(advice),
        None if data is None else Jsonb(data),
        new.cost_usd,
        new.classified_at,
        *audit,
    )
