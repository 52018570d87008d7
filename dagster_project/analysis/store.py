"""Where answers and the state of chats are kept: set-based, inside the transaction of whoever calls."""

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
class Answer:
    """A classifier's answer to one content.

    Attributes:
        provider: rules, anthropic or fake.
        model: as the answer names it.
        exchange: what was sent, redacted, and what came back; None for rules.
    """

    work_key: str
    classifier: str
    version: str
    provider: str
    model: str
    found: Categorization
    cost_usd: float
    answered_at: datetime
    audit: Audit | None = None
    exchange: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What became of a chat; `reason` says why it has no answer, `content_key` what a person's label belongs to."""

    chat_id: str
    state: str
    load_id: int
    work_key: str | None = None
    answer_id: int | None = None
    reason: str | None = None
    content_key: str | None = None
    injection_suspected: bool = False


_ANSWER = (
    "work_key",
    "classifier",
    "version",
    "provider",
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
    "answered_at",
)
_AUDIT = tuple(field.name for field in fields(Audit))
_COLUMNS = ", ".join((*_ANSWER, *_AUDIT))


def keep_answers(conn: psycopg.Connection, answers: Sequence[Answer]) -> dict[str, int]:
    """Add answers; one of rules that is known already is left as it is.

    Returns:
        By work key, the ids of those that are new.
    """
    conn.execute("create temp table if not exists new_answers (like analysis.answers) on commit delete rows")
    conn.execute("alter table pg_temp.new_answers alter answer_id drop not null")
    conn.execute("truncate pg_temp.new_answers")
    with conn.cursor() as cursor, cursor.copy(f"copy pg_temp.new_answers ({_COLUMNS}) from stdin") as copy:
        for answer in answers:
            copy.write_row(_row(answer))
    rows = conn.execute(
        f"insert into analysis.answers ({_COLUMNS}) select {_COLUMNS} from pg_temp.new_answers "  # noqa: S608
        "on conflict (work_key) where provider = 'rules' do nothing returning work_key, answer_id"
    ).fetchall()
    return dict(rows)


def answers_of_rules(conn: psycopg.Connection, work_keys: Sequence[str]) -> dict[str, int]:
    """By work key, the answers of rules that there are."""
    return dict(
        conn.execute(
            "select work_key, answer_id from analysis.answers where provider = 'rules' and work_key = any(%s)",
            [list(work_keys)],
        ).fetchall()
    )


def keep_work(
    conn: psycopg.Connection, classifier: str, version: str, rows: Sequence[Work], looked_at: datetime
) -> None:
    """Say of each chat what became of it. What was tried before for other content is forgotten."""
    conn.execute("""
        create temp table if not exists new_work (
            chat_id text, state text, load_id bigint, work_key text, answer_id bigint, reason text, content_key text,
            injection_suspected boolean
        ) on commit delete rows
    """)
    conn.execute("truncate pg_temp.new_work")
    with conn.cursor() as cursor, cursor.copy("copy pg_temp.new_work from stdin") as copy:
        for row in rows:
            copy.write_row(
                (
                    row.chat_id,
                    row.state,
                    row.load_id,
                    row.work_key,
                    row.answer_id,
                    row.reason,
                    row.content_key,
                    row.injection_suspected,
                )
            )
    conn.execute(
        """
        insert into analysis.chat_work as work (
            chat_id, classifier, version, state, reason, work_key, answer_id, load_id, looked_at,
            content_key, injection_suspected)
        select
            chat_id, %s, %s, state, reason, work_key, answer_id, load_id, %s, content_key, injection_suspected
        from pg_temp.new_work
        order by chat_id
        on conflict (chat_id, classifier) do update set
            version = excluded.version, state = excluded.state, reason = excluded.reason, work_key = excluded.work_key,
            answer_id = excluded.answer_id, load_id = excluded.load_id, looked_at = excluded.looked_at,
            content_key = excluded.content_key, injection_suspected = excluded.injection_suspected,
            queued_answer_id = case
                when excluded.answer_id is null or work.content_key = excluded.content_key then work.queued_answer_id
            end,
            attempts = case when work.work_key = excluded.work_key then work.attempts else 0 end,
            last_error_type = case when work.work_key = excluded.work_key then work.last_error_type end,
            last_request_id = case when work.work_key = excluded.work_key then work.last_request_id end,
            next_retry_at = case when work.work_key = excluded.work_key then work.next_retry_at end
        """,
        (classifier, version, looked_at),
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
    return dict(conn.execute("select state, count(*) from analysis.current_answers group by state").fetchall())


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


def _row(answer: Answer) -> tuple[object, ...]:
    found, effect = answer.found, answer.found.effectiveness
    by_rules = answer.provider == "rules"
    advice = (
        [{"text": text, "source": "rule" if by_rules else "model"} for text in effect.recommendations]
        if effect
        else None
    )
    data = answer.exchange or (effect.evidence if effect else None)
    audit = [getattr(answer.audit, name) for name in _AUDIT] if answer.audit else [None] * len(_AUDIT)
    return (
        answer.work_key,
        answer.classifier,
        answer.version,
        answer.provider,
        answer.model,
        answer.provider == "anthropic",
        *(found.labels.get(field.name) for field in taxonomy.fields()),
        found.agent_quality_score,
        found.confidence_score,
        "rule_margin" if by_rules else "model_verbalized",
        found.reasoning_notes,
        effect and effect.resolution_score,
        effect and effect.customer_satisfaction,
        None if advice is None else Jsonb(advice),
        None if data is None else Jsonb(data),
        answer.cost_usd,
        answer.answered_at,
        *audit,
    )
