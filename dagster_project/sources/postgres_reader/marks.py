"""The mark by which it is known which rows are new: a transaction's number that a column holds, or Postgres' own, or a
time. docs/rooms.md says what each may miss."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from psycopg import sql

Mode = Literal["row_xid", "xmin", "updated_at"]
# A time is written before its transaction commits, by a clock that may be another one.
OVERLAP = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Mark:
    """How rows are marked.

    Attributes:
        expression: SQL of a row's mark.
        ceiling: what was reached when the reading began: of transactions, that all with lower numbers have ended.
    """

    mode: Mode
    expression: sql.Composable
    ceiling: str

    @property
    def is_transaction(self) -> bool:
        """Whether it is the transaction that wrote the row. Otherwise rows may be missed."""
        return self.mode != "updated_at"

    def between(self, low: str, high: str) -> sql.Composable:
        """SQL: whether a row is one that was written from `low` on, and before `high`."""
        if not self.is_transaction:
            overlap = sql.Literal(f"{OVERLAP.total_seconds()} seconds")
            return sql.SQL("{} >= {}::timestamptz - {}::interval").format(self.expression, sql.Literal(low), overlap)
        return sql.SQL("{mark} >= {low} and {mark} < {high}").format(
            mark=self.expression, low=sql.Literal(int(low)), high=sql.Literal(int(high))
        )

    def has_fallen_below(self, before: str) -> bool:
        """Whether the ceiling is lower than it was: then this is not the server that it was."""
        return self.is_transaction and int(self.ceiling) < int(before)


def mark_of(mode: Mode, transaction: int, now: str) -> Mark:
    """The mark of a way of reading.

    Args:
        transaction: the oldest one that is open at the source, or the next.
        now: the source's time.
    """
    if mode == "xmin":
        return Mark(mode, _with_epoch(transaction), str(transaction))
    return Mark(mode, sql.Identifier("t", mode), str(transaction) if mode == "row_xid" else now)


def _with_epoch(transaction: int) -> sql.Composable:
    """Of xmin, which is 32 bits, the whole number. Rows that are older than 2^31 transactions get one of their number
    that is too high: they are known already, and at most read once more."""
    return sql.SQL("""
        ({transaction} + case
            when (t.xmin::text::bigint - {low} + {span}) % {span} < {span} / 2
                then (t.xmin::text::bigint - {low} + {span}) % {span}
            else (t.xmin::text::bigint - {low} + {span}) % {span} - {span}
        end)
    """).format(transaction=sql.Literal(transaction), low=sql.Literal(transaction % 2**32), span=sql.Literal(2**32))
