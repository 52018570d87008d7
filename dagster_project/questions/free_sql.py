"""A statement of the caller's own, where the setting allows it: one that reads, with limits of time, rows and size.

What it may see is what `bi_reader` may: the marts, without personal data. The server itself holds the rest: a prepared
statement is one statement, a cursor is for a query that changes nothing, the transaction is read only.
"""

import math

import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus

from dagster_project.questions.errors import QuestionFailed
from dagster_project.questions.names import shown

MAX_ROWS, SECONDS = 200, 10
_MAX_QUERY, _MAX_VALUE, _MAX_COLUMNS = 10_000, 300, 60
_NUMBERS = {20, 21, 23, 700, 701, 1700}  # Postgres' types of numbers
_MAX_NUMBER = 2**53  # whole number that every reader of JSON holds with all its digits
Value = str | int | float | None


def run(conn: psycopg.Connection, query: str) -> tuple[list[str], list[list[Value]], bool]:
    """The names of its columns, its rows, and whether there are more.

    Args:
        conn: a session of bi_reader for this statement alone: it may have changed the session's settings.

    Raises:
        QuestionFailed: it is not one statement that reads, or it fails; the text is what Postgres says.
    """
    text = query.strip().rstrip(";").strip()
    if not text or len(text) > _MAX_QUERY or "\0" in text:
        raise QuestionFailed(f"Give one SELECT statement of up to {_MAX_QUERY:,} characters.")
    try:
        columns, types = _described(conn, text)
        names = sql.SQL(", ").join(sql.Identifier(f"c{place}") for place in range(len(columns)))
        values = sql.SQL(", ").join(
            sql.SQL("left({}::text, {})").format(sql.Identifier(f"c{place}"), _MAX_VALUE + 1)  # more is seen to be cut
            for place in range(len(columns))
        )
        cursor = sql.SQL("declare answer no scroll cursor for select {} from (\n{}\n) as answer ({})")
        # With `prepare` it goes by the extended protocol, which takes one statement.
        conn.execute(cursor.format(values, sql.SQL(text), names), prepare=True)
        # All of it runs here, in one statement: one that lifts the limit of time lifts that of the next.
        rows = conn.execute(sql.SQL("fetch {} from answer").format(MAX_ROWS + 1)).fetchall()
    except psycopg.errors.QueryCanceled:
        raise
    except psycopg.Error as error:
        said = error.diag.message_primary or type(error).__name__
        raise QuestionFailed(f"Postgres refuses it: {said[:300]}") from None
    shown = [[_value(value, type_) for value, type_ in zip(row, types, strict=True)] for row in rows[:MAX_ROWS]]
    return columns, shown, len(rows) > MAX_ROWS


def _described(conn: psycopg.Connection, text: str) -> tuple[list[str], list[int]]:
    """The names and types of its columns, without running it."""
    conn.execute("select 1")  # begins the transaction, read only
    for result in (conn.pgconn.prepare(b"", text.encode()), conn.pgconn.describe_prepared(b"")):
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            raise QuestionFailed(f"Postgres refuses it: {result.get_error_message().partition(chr(10))[0][:300]}")
    count = result.nfields
    if not 1 <= count <= _MAX_COLUMNS or result.nparams:
        raise QuestionFailed(f"It must be a SELECT of 1 to {_MAX_COLUMNS} columns, without parameters.")
    return [(result.fname(place) or b"").decode() for place in range(count)], [
        result.ftype(place) for place in range(count)
    ]


def _value(value: str | None, type_: int) -> Value:
    """A number where JSON can hold it as it is; else its text."""
    if value is None:
        return None
    if type_ in _NUMBERS and len(value) <= _MAX_VALUE:
        if not value.lstrip("-").isdigit():
            if math.isfinite(number := float(value)):
                return number
        elif abs(whole := int(value)) <= _MAX_NUMBER:
            return whole
    return shown(value, _MAX_VALUE)
