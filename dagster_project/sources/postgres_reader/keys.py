"""What is gone of a source that does not tell of deletions: its keys, month by month, beside those that have landed.

Counts and sums of hashes are compared first, so that the keys of a month travel only where it differs. A month of which
the source holds nothing is archived there, or was dropped whole: that says nothing of its rows.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql

from dagster_project.sources.contract import EntitySpec, History, Scope
from dagster_project.sources.postgres_reader.server import Server, Table, fail


@dataclass(frozen=True, slots=True)
class Keys:
    """A window: the keys of a month (YYYY-MM), or of all rows."""

    system: str
    month: str | None
    day_from: date | None = None
    day_to: date | None = None
    day_read: date | None = None

    def __str__(self) -> str:
        return f"keys of {self.month}" if self.month else "all keys"


def that_differ(
    server: Server, table: Table, entity: EntitySpec, scope: Scope, history: History
) -> Iterator[str | None]:
    """The months of which other keys have landed than the source holds; None: all rows, where they have no months."""
    copied = entity.copied
    if scope.mode != "sweep" or not copied or not copied.is_compared:
        return
    landed = history.keys_landed()
    query = sql.SQL("""
        select {month}, count(*), sum(('x' || left(md5({key}), 15))::bit(60)::bigint)::text from {table} as t group by 1
    """).format(
        month=sql.SQL("left({}, 7)").format(_text(copied.month)) if copied.month else sql.SQL("null::text"),
        key=_key(copied.keys),
        table=sql.Identifier(server.schema, table.name),
    )
    held = {month: (count, int(hashes)) for month, count, hashes in server.rows(query)}
    for month in sorted(landed, key=str):
        if landed[month] != held.get(month, (0, 0)) and (month is None or month in held):
            yield month


@dataclass(frozen=True, slots=True)
class Held:
    """The keys of a window. Implements `contract.HeldKeys`."""

    server: Server
    table: Table
    entity: EntitySpec
    month: str | None

    def write_to(self, write: Callable[[bytes | memoryview], None]) -> None:
        """Give the keys. Raises SourceError."""
        assert self.entity.copied
        copied = self.entity.copied
        of_month: sql.Composable = sql.SQL("true")
        if self.month and copied.month:
            year, month = map(int, self.month.split("-"))
            following = date(year + month // 12, month % 12 + 1, 1)
            of_month = sql.SQL("{0} >= {1} and {0} < {2}").format(
                sql.Identifier("t", copied.month), f"{self.month}-01 00:00:00+00", f"{following} 00:00:00+00"
            )
        query = sql.SQL("copy (select {} from {} as t where {}) to stdout").format(
            _key(copied.keys), sql.Identifier(self.server.schema, self.table.name), of_month
        )
        try:
            with self.server.conn.cursor() as cursor, cursor.copy(query) as copy:
                for block in copy:
                    write(block)
        except psycopg.Error as error:
            fail(error)

    def moved(self, keys: Sequence[str]) -> AbstractSet[str]:
        """Those of some keys whose row is there still, under another key or in another month. Raises SourceError.

        Only a row with an id can be told to be the same one.
        """
        assert self.entity.copied
        own = self.entity.copied.keys[0]
        if own != "id":
            return frozenset()
        by_id = {key.split("|")[0]: key for key in keys}
        query = sql.SQL("select distinct {} from {} as t where t.{} = any(%(ids)s)").format(
            _text(own), sql.Identifier(self.server.schema, self.table.name), sql.Identifier(own)
        )
        return {by_id[one] for (one,) in self.server.rows(query, {"ids": list(by_id)})}


def _key(names: Sequence[str]) -> sql.Composable:
    return sql.SQL("concat_ws('|', {})").format(sql.SQL(", ").join(map(_text, names)))


def _text(name: str) -> sql.Composable:
    """SQL: a column's text, as it stands in the payload."""
    return sql.SQL("to_jsonb({}) #>> '{{}}'").format(sql.Identifier("t", name))
