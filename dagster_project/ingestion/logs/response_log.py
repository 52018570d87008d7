"""Whole answers of the API, kept for a while (ops.api_response_logs): a partition a day, dropped when it is old."""

import json
import re
from datetime import UTC, date, datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from dagster_project.sources.contract import Page
from dagster_project.warehouse.connection import has_relation

MAX_TEXT_BYTES = 32 * 2**20  # of an answer that is kept as text; of a larger one only its records are, and its bytes
_PREFIX = "api_response_logs_"
# `json` takes escapes of NULs and surrogates, and fails when it is queried; `jsonb` refuses those that are wrong.
_DOUBTFUL = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
# What Postgres says of JSON that it does not take: NULs, lone surrogates, no UTF-8, not JSON, nested too deep.
_REFUSED = (UnicodeError, psycopg.DataError, psycopg.errors.StatementTooComplex, psycopg.errors.ProgramLimitExceeded)


def keep_response(conn: psycopg.Connection, page: Page, sync_id: str) -> None:
    """Keep the whole answer of a page, in the page's transaction. Only the one writer may call it."""
    now = datetime.now(UTC)
    _make_partition(conn, now.date())
    if len(page.answer.body) > MAX_TEXT_BYTES:  # of one record that is far too large
        _insert(conn, page, sync_id, now, as_landed(page), page.answer.body)
        return
    try:
        with conn.transaction():
            answer = page.answer.body.decode()
            if _DOUBTFUL.search(page.answer.body):
                conn.execute("select %s::jsonb is null", (answer,))
            _insert(conn, page, sync_id, now, answer, None)
    except _REFUSED:
        _insert(conn, page, sync_id, now, as_landed(page), page.answer.body)


def drop_old_responses(conn: psycopg.Connection, keep_days: int) -> list[str]:
    """Drop the partitions whose days (UTC) are all more than `keep_days` days ago. Returns their names."""
    names = [
        row[0]
        for row in conn.execute(
            "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
            "where i.inhparent = 'ops.api_response_logs'::regclass order by 1"
        ).fetchall()
    ]
    oldest = _name(datetime.now(UTC).date() - timedelta(days=keep_days))
    old = [name for name in names if name < oldest]
    for name in old:
        conn.execute(sql.SQL("drop table {}").format(sql.Identifier("ops", name)))
    return old


def _make_partition(conn: psycopg.Connection, day: date) -> None:
    if not has_relation(conn, f"ops.{_name(day)}"):
        conn.execute("select ops.keep_response_day(%s)", [day])


def _insert(
    conn: psycopg.Connection, page: Page, sync_id: str, now: datetime, response: str, exact: bytes | None
) -> None:
    answer = page.answer
    conn.execute(
        """
        insert into ops.api_response_logs (
            sync_id, source, endpoint, request_params, raw_response, raw_bytes, response_size, record_count,
            api_timestamp, created_at)
        values (%s, %s, %s, %s, %s::json, %b, %s, %s, %s, %s)
        """,
        (
            sync_id,
            page.entity.source,
            answer.endpoint,
            Jsonb(dict(answer.query)),
            response,
            exact,
            answer.size,
            page.received,
            answer.asked_at or now,
            now,
        ),
    )


def as_landed(page: Page) -> str:
    """The answer with its records as they have landed: Postgres takes these. What else came is in the exact bytes."""
    records = ",".join(record.payload for record in page.records)
    counts = json.dumps({"exported": page.answer.exported, "total": page.total}, separators=(",", ":"))
    return f'{{"{page.entity.name}":[{records}],{counts[1:]}'


def _name(day: date) -> str:
    return f"{_PREFIX}{day:%Y%m%d}"
