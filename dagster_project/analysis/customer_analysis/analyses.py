"""Customer analyses from PENDING to their end: made, found again when their process was killed, listed, deleted.

Who works on an analysis holds an lock named after it. The lock goes with the session, so a row that is not
finished and whose lock is free was left behind by a process that is gone.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from dagster_project.analysis import effectiveness
from dagster_project.analysis.customer_analysis import materialize
from dagster_project.analysis.customer_analysis.request import Refused, Request, checked
from dagster_project.warehouse import locks
from dagster_project.warehouse.access import users

KILLED = "the run that worked on it ended without finishing it: it was killed, or lost its connection"
_KIND = "analysis"  # of the lock
_COLUMNS = """
    id, status, created_at, triggered_by, filters, sample_rate, classifier, classifier_version, is_llm, chats_in_filter,
    total_chats_analyzed, total_messages_analyzed, categorized_count, ai_analysis_count, new_classification_count,
    skipped_count, pending_count, processing_time_ms, error_message
"""


@dataclass(frozen=True, slots=True)
class Categorized:
    """What categorizing took: classifications that were not known before, and why it ended early where it did."""

    new_classifications: int
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What an analysis is made with.

    Attributes:
        classifier: as `classification_queue` names it.
        version: the classifier's.
        is_llm: whether it is a language model; what classifications say of themselves counts in the end.
        categorize: categorizes the given chats where they need it.
        build_kpis: builds the KPIs of what is published.
        run_id: Dagster's run, where there is one.
    """

    classifier: str
    version: str
    is_llm: bool
    categorize: Callable[[Sequence[str]], Categorized]
    build_kpis: Callable[[], None]
    run_id: str | None = None


class NoSuchAnalysis(Exception):
    """There is no analysis of this id, or it is being worked on."""


def analyse(conn: psycopg.Connection, request: Request, means: Means) -> dict[str, Any]:
    """Make one analysis: its row, its chats, their categories, its KPIs.

    Args:
        conn: autocommits; its session holds the analysis's lock.

    Returns:
        the row as it ended, COMPLETED or PARTIAL.

    Raises:
        Refused: it cannot be made as asked for; no row is left.
        Exception: what `categorize` or `build_kpis` raised. The row is FAILED; PARTIAL where its categories were
            published before, and then the next build of the models makes its KPIs.
    """
    reconcile(conn)
    try:
        users.require(conn, request.triggered_by, "ask for an analysis")
    except users.NotAllowed as error:
        raise Refused(str(error)) from None
    request = checked(conn, request)
    in_filter, chosen = materialize.select_chats(conn, request)
    if not chosen:
        raise Refused(_nothing(request, in_filter))
    analysis_id, began = str(uuid.uuid4()), time.monotonic()
    with locks.held(conn, _KIND, analysis_id):
        _ask(conn, analysis_id, request, means, in_filter, len(chosen))
        _work(conn, analysis_id, request.triggered_by, chosen, means, began)
    return read(conn, analysis_id)


def fail_abandoned(conn: psycopg.Connection) -> list[str]:
    """Mark as FAILED each analysis that nobody works on any more, though it is not finished; returns their ids."""
    with conn.transaction():
        unfinished = conn.execute(
            "select id from analysis.customer_analyses where status in ('PENDING', 'PROCESSING')"
        ).fetchall()
        rows = conn.execute(
            """
            update analysis.customer_analyses
            set status = 'FAILED', error_message = %s, completed_at = now(), updated_at = now()
            where id = any(%s) and status in ('PENDING', 'PROCESSING')
            returning id
            """,
            [KILLED, locks.free(conn, _KIND, [row[0] for row in unfinished])],
        )
        return [row[0] for row in rows]


def reconcile(conn: psycopg.Connection) -> dict[str, int]:
    """Do what foreign keys would for what is deleted, and close what was killed: with each refresh, as it costs little.

    Returns:
        analyses that were closed, categorizations of chats that are gone, KPIs whose agent or department is gone.
    """
    return {
        "killed_analyses": len(fail_abandoned(conn)),
        "categorizations_of_deleted_chats": materialize.forget_deleted_chats(conn),
        "kpis_of_deleted_people": materialize.forget_deleted_people(conn),
    }


def newest(conn: psycopg.Connection, limit: int = 20) -> list[dict[str, Any]]:
    """The newest analyses, newest first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from analysis.customer_analyses order by created_at desc, id limit %s",  # noqa: S608
            [limit],
        ).fetchall()


def read(conn: psycopg.Connection, analysis_id: str) -> dict[str, Any]:
    """One analysis.

    Raises:
        NoSuchAnalysis: there is none of this id.
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            f"select {_COLUMNS} from analysis.customer_analyses where id = %s",  # noqa: S608
            [analysis_id],
        ).fetchone()
    if row is None:
        raise NoSuchAnalysis(f"there is no analysis {analysis_id}")
    return row


def classified_by(row: dict[str, Any]) -> str:
    """Who categorized an analysis, in words that leave no doubt."""
    if row["is_llm"]:
        who = "a language model"
    else:
        who = "rules, no language model" if row["classifier"] == "rules-v1" else "a fake of a language model"
    return f"{who} ({row['classifier_version']})"


def of_run(conn: psycopg.Connection, run_id: str) -> dict[str, Any] | None:
    """The analysis that a run of Dagster made; None where it made none."""
    row = conn.execute("select id from analysis.customer_analyses where run_id = %s", [run_id]).fetchone()
    return read(conn, row[0]) if row else None


def delete(conn: psycopg.Connection, analysis_id: str) -> None:
    """Delete an analysis, with its categorizations, its KPIs and the records of its exports.

    Raises:
        NoSuchAnalysis: there is none of this id, or it is being worked on.
    """
    with conn.transaction():
        if not locks.free(conn, _KIND, [analysis_id]):
            raise NoSuchAnalysis(f"analysis {analysis_id} is being worked on: stop its run first")
        if not conn.execute("delete from analysis.customer_analyses where id = %s", [analysis_id]).rowcount:
            raise NoSuchAnalysis(f"there is no analysis {analysis_id}")


def _nothing(request: Request, in_filter: int) -> str:
    if in_filter:
        return f"a sample of {request.sample_rate:.1%} holds none of the {in_filter} chats of this filter"
    return f"no chat was created from {request.date_start} to {request.date_end} that passes these filters"


def _ask(
    conn: psycopg.Connection, analysis_id: str, request: Request, means: Means, in_filter: int, chosen: int
) -> None:
    conn.execute(
        """
        insert into analysis.customer_analyses (
            id, status, triggered_by, filters, sample_rate, classifier, classifier_version, is_llm, run_id,
            chats_in_filter, total_chats_analyzed)
        values (%s, 'PENDING', %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            analysis_id,
            request.triggered_by,
            Jsonb(request.filters),
            request.sample_rate,
            means.classifier,
            means.version,
            means.is_llm,
            means.run_id,
            in_filter,
            chosen,
        ],
    )


def _work(
    conn: psycopg.Connection, analysis_id: str, user: str, chosen: Sequence[str], means: Means, began: float
) -> None:
    published = False
    _change(conn, analysis_id, "PROCESSING", "started_at = now()")
    try:
        categorized = means.categorize(chosen)
        materialize.write(conn, analysis_id, chosen, means.classifier, categorized.new_classifications)
        effectiveness.materialize(conn, means.classifier, user=user, chat_ids=chosen)
        published = True
        means.build_kpis()
    except BaseException as error:
        # The text of a foreign error may quote what a customer wrote: it stays in the run's log.
        why = f"{'KPIs were not built' if published else 'stopped'}: {type(error).__name__}; the run's log has the rest"
        _end(conn, analysis_id, "PARTIAL" if published else "FAILED", why, began)
        raise
    missing = _missing(conn, analysis_id)
    why = "; ".join(filter(None, [missing, categorized.stopped]))
    _end(conn, analysis_id, "PARTIAL" if missing else "COMPLETED", why if missing else None, began)


def _missing(conn: psycopg.Connection, analysis_id: str) -> str | None:
    """What should have been categorized and is not, by reason; None where all is done."""
    rows = conn.execute(
        """
        select reason, count(*) from analysis.analysis_chats
        where analysis_id = %s and state = 'pending'
        group by reason order by count(*) desc, reason
        """,
        [analysis_id],
    ).fetchall()
    if not rows:
        return None
    reasons = ", ".join(f"{count} {reason}" for reason, count in rows[:5])
    return f"{sum(count for _, count in rows)} chats are not categorized ({reasons})"


def _end(conn: psycopg.Connection, analysis_id: str, status: str, why: str | None, began: float) -> None:
    milliseconds = round((time.monotonic() - began) * 1000)
    _change(
        conn,
        analysis_id,
        status,
        "completed_at = now(), error_message = %s, processing_time_ms = %s",
        why,
        milliseconds,
    )


def _change(conn: psycopg.Connection, analysis_id: str, status: str, change: str, *values: object) -> None:
    conn.execute(
        f"update analysis.customer_analyses set status = %s, updated_at = now(), {change} where id = %s",  # noqa: S608
        [status, *values, analysis_id],
    )
