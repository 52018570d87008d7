"""Categorizing chats by rules: each settled chat once per version, in slices that are all done or not at all."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from dagster_project.analysis import work
from dagster_project.analysis.categories import Categorization
from dagster_project.analysis.rules.classifier import RulesClassifier

log = logging.getLogger(__name__)

SLICE = 2000  # chats a transaction


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did.

    Attributes:
        looked_at: chats.
        answered: chats that have an answer now; `new_answers` of them were not known, the rest share an older one.
        skipped: chats without anything of the customer's, or deleted.
        unsettled: chats that still go on.
    """

    looked_at: int
    answered: int
    new_answers: int
    skipped: int
    unsettled: int
    seconds: float


def categorize_by_rules(
    conn: psycopg.Connection, classifier: RulesClassifier, *, idle: timedelta,
    on_progress: Callable[[int, int], None] | None = None,
) -> Result:  # fmt: skip
    """Look at every chat that this version has not seen since its last load. A killed run is simply run again.

    Args:
        conn: autocommits; each slice is a transaction of its own.
        idle: how long a chat that is not closed must be silent to be settled.
        on_progress: told (chats done, chats in all) after each slice.
    """
    began, counts = time.monotonic(), Counter[str]()
    scope = work.scope(conn, classifier.model, classifier.version)
    todo = work.chats_to_look_at(conn, classifier.model, scope)
    for start in range(0, len(todo), SLICE):
        with conn.transaction():
            chats = work.read_chats(conn, todo[start : start + SLICE], scope, idle)
            counts += _slice(conn, classifier, chats)
        if on_progress:
            on_progress(min(start + SLICE, len(todo)), len(todo))
    _remember(conn, classifier, scope)
    return Result(
        len(todo), counts["answered"], counts["new"], counts["skipped"], counts["unsettled"], time.monotonic() - began)


def _slice(conn: psycopg.Connection, classifier: RulesClassifier, chats: Sequence[work.Chat]) -> Counter[str]:
    rows, answers, now = [], {}, datetime.now(UTC)
    for chat in chats:
        state, reason, key = _state(chat), None, None
        if state == "answered":
            key = work.work_key(chat.conversation, classifier.version)
            if key not in answers:
                answers[key] = classifier.classify(chat.conversation)
        elif state == "skipped":
            reason = "deleted" if chat.is_deleted else "nothing of the customer's"
        rows.append((chat.chat_id, classifier.model, classifier.version, state, reason, key, chat.load_id, now))
    new = _keep_answers(conn, classifier, answers, now)
    _keep_work(conn, rows)
    return Counter(row[3] for row in rows) + Counter({"new": new})


def _state(chat: work.Chat) -> str:
    if chat.is_deleted:
        return "skipped"
    if not chat.is_settled:
        return "unsettled"
    return "answered" if chat.conversation.customer else "skipped"


def _keep_answers(
    conn: psycopg.Connection, classifier: RulesClassifier, answers: dict[str, Categorization], now: datetime
) -> int:
    conn.execute("create temp table if not exists new_answers (like analysis.answers) on commit delete rows")
    columns = ("work_key", "classifier", "version", "provider", "model", "is_llm", "customer_intent", "journey_stage",
               "sentiment", "agent_quality_score", "confidence_score", "confidence_source", "reasoning_notes",
               "cost_usd", "answered_at")  # fmt: skip
    listed = ", ".join(columns)
    with conn.cursor() as cursor:
        cursor.execute("alter table pg_temp.new_answers alter answer_id drop not null")
        with cursor.copy(f"copy pg_temp.new_answers ({listed}) from stdin") as copy:
            for key, found in answers.items():
                copy.write_row((
                    key, classifier.model, classifier.version, "rules", classifier.model, False,
                    found.customer_intent, found.journey_stage, found.sentiment, found.agent_quality_score,
                    found.confidence_score, "rule_margin", found.reasoning_notes, 0, now))  # fmt: skip
    return conn.execute(
        f"insert into analysis.answers ({listed}) select {listed} from pg_temp.new_answers "  # noqa: S608
        "on conflict (work_key) where provider = 'rules' do nothing").rowcount


def _keep_work(conn: psycopg.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    conn.execute("""
        create temp table if not exists new_work (
            chat_id text, classifier text, version text, state text, reason text, work_key text, load_id bigint,
            looked_at timestamptz
        ) on commit delete rows
    """)
    with conn.cursor() as cursor, cursor.copy("copy pg_temp.new_work from stdin") as copy:
        for row in rows:
            copy.write_row(row)
    conn.execute("""
        insert into analysis.chat_work (
            chat_id, classifier, version, state, reason, work_key, answer_id, load_id, looked_at)
        select
            new.chat_id, new.classifier, new.version, new.state, new.reason, new.work_key, answers.answer_id,
            new.load_id, new.looked_at
        from pg_temp.new_work as new
        left join analysis.answers on answers.work_key = new.work_key and answers.provider = 'rules'
        on conflict (chat_id, classifier) do update set
            version = excluded.version, state = excluded.state, reason = excluded.reason, work_key = excluded.work_key,
            answer_id = excluded.answer_id, load_id = excluded.load_id, looked_at = excluded.looked_at
    """)


def _remember(conn: psycopg.Connection, classifier: RulesClassifier, scope: work.Scope) -> None:
    conn.execute(
        """
        insert into analysis.progress (classifier, version, load_id, updated_at) values (%s, %s, %s, now())
        on conflict (classifier) do update set
            version = excluded.version, load_id = excluded.load_id, updated_at = excluded.updated_at
        """, (classifier.model, classifier.version, scope.upto))  # fmt: skip
