"""The rows of a table that one sync reads, in their order, and how far it has come with them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from psycopg import sql

from dagster_project.sources.contract import Copied, EntitySpec
from dagster_project.sources.postgres_reader.marks import Mark
from dagster_project.sources.postgres_reader.server import Server, Table


@dataclass(frozen=True, slots=True)
class Rows:
    """A window: the rows that were marked from `low` on, and before `high`; of one day, or all, where both are None.

    Attributes:
        system: the server and the table.
        day: the day (UTC) on which the rows were created.
    """

    system: str
    mode: str
    low: str | None
    high: str | None
    day: date | None = None
    day_from: date | None = None
    day_to: date | None = None
    day_read: date | None = None

    def __str__(self) -> str:
        if self.day:
            return f"rows of {self.day}"
        return f"{self.mode} from {self.low}" if self.low else "all rows"

    def resumed(self, point: str | None) -> "Self":
        """The same up to where an interrupted reading would have come; as it is, where that was of another server."""
        known = json.loads(point) if point else {}
        return replace(self, high=known["high"]) if known.get("system") == self.system else self


@dataclass(frozen=True, slots=True)
class Position:
    """A row in the order of its table's rows: by leaf, mark and key."""

    leaf: str
    mark: str
    keys: tuple[str, ...]

    @classmethod
    def of(cls, window: Rows, point: str | None) -> "Position | None":
        """The last row that has landed of a window; None where nothing of it has, or it was of another server."""
        known = json.loads(point) if point else {}
        if known.get("system") != window.system or known["high"] != window.high:
            return None
        return cls(known["leaf"], known["mark"], tuple(known["keys"]))

    def to_text(self, window: Rows) -> str:
        """What `of` reads."""
        told = {"system": window.system, "high": window.high, "leaf": self.leaf, "mark": self.mark, "keys": self.keys}
        return json.dumps(told)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a leaf that follow each other: `take` of them, after a row and `skip` more."""

    leaf: str
    after: Position | None
    skip: int
    take: int


@dataclass(frozen=True, slots=True)
class Selection:
    """How the rows of a window are asked for."""

    server: Server
    table: Table
    entity: EntitySpec
    mark: Mark
    window: Rows

    def counts(self) -> dict[str, int]:
        """How many rows each leaf holds of the window; no leaf that holds none."""
        source = sql.Identifier(self.server.schema, self.table.name)
        if len(self.table.leaves) == 1:  # a reader that may see some of the columns may not see `tableoid`
            query = sql.SQL("select {}, count(*) from {} as t where {}").format(
                self.table.leaves[0], source, self._condition(None)
            )
        else:
            query = sql.SQL("select t.tableoid::regclass::text, count(*) from {} as t where {} group by 1").format(
                source, self._condition(None)
            )
        found = dict(self.server.rows(query))
        return {leaf: found[leaf] for leaf in self.table.leaves if found.get(leaf)}

    def count_after(self, position: Position) -> int:
        """How many rows of its leaf come after a position."""
        query = sql.SQL("select count(*) from {} as t where {}")
        return int(self.server.rows(query.format(sql.SQL(position.leaf), self._condition(position)))[0][0])

    def copy(self, part: Part) -> sql.Composed:
        """The statement that gives rows: mark, whether it tells of a row that is gone, hash, payload."""
        given = self._given(
            part, sql.SQL("t.copied_mark as mark, t.copied_gone as is_gone, row_to_json(payload.*)::text as payload")
        )
        # `offset 0`: the payload is made once, and hashed then.
        query = "copy (select mark, is_gone, md5(payload), payload from ({} offset 0) as given) to stdout"
        return sql.SQL(query).format(given)

    def one(self, part: Part) -> sql.Composed:
        """The query for one row: its key, the people that it names, and its exact bytes."""
        given = sql.SQL(
            "array[{}]::text[], array[{}]::text[], convert_to(row_to_json(payload.*)::text, getdatabaseencoding())"
        ).format(*(sql.SQL(", ").join(map(_as_json, names)) for names in (self._copied.keys, self._copied.people)))
        return self._given(replace(part, take=1), given)

    @property
    def fields(self) -> sql.Composable:
        """SQL: the columns that leave the source, by name: so that rows of a restored table are the same."""
        return _columns([name for name in self.table.fields if name not in self._copied.secrets])

    @property
    def _copied(self) -> Copied:
        assert self.entity.copied
        return self.entity.copied

    def _given(self, part: Part, selected: sql.Composable) -> sql.Composed:
        # Rows are put in order first: as JSON they are twice as large, and a month of them would be sorted on disk.
        return sql.SQL("""
            select {selected} from (
                select {mark} as copied_mark, {gone} as copied_gone, {fields} from {leaf} as t
                where {condition} order by {mark}, {keys} limit {take} offset {skip}
            ) as t cross join lateral (select {fields}) as payload
        """).format(
            selected=selected,
            mark=self.mark.expression,
            gone=self._gone(),
            fields=self.fields,
            leaf=sql.SQL(part.leaf),
            condition=self._condition(part.after),
            keys=_columns(self._copied.keys),
            take=part.take,
            skip=part.skip,
        )

    def _condition(self, after: Position | None) -> sql.Composable:
        window = self.window
        conditions: list[sql.Composable] = [sql.SQL("true")]
        if window.low and window.high:
            conditions.append(self.mark.between(window.low, window.high))
        if window.day:
            conditions.append(sql.SQL("(t.created_at at time zone 'UTC')::date = {}").format(window.day))
        if after:
            last = [sql.Literal(int(after.mark) if self.mark.is_transaction else after.mark)]
            last += [sql.Literal(key) for key in after.keys]
            conditions.append(
                sql.SQL("({}, {}) > ({})").format(
                    self.mark.expression, _columns(self._copied.keys), sql.SQL(", ").join(last)
                )
            )
        return sql.SQL(" and ").join(conditions)

    def _gone(self) -> sql.Composable:
        """SQL: whether a row of history tells of one that was deleted, and is not there again."""
        deleted = self._copied.deletes
        if not deleted or not deleted.copied:
            return sql.SQL("false")
        same = sql.SQL(" and ").join(
            sql.SQL("there.{0} = t.{0}").format(sql.Identifier(key)) for key in deleted.copied.keys
        )
        return sql.SQL("t.operation_type = 'DELETE' and not exists (select from {} as there where {})").format(
            sql.Identifier(self.server.schema, deleted.name), same
        )


def _columns(names: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier("t", name) for name in names)


def _as_json(name: str) -> sql.Composable:
    """SQL: a column's text, as it stands in the payload."""
    return sql.SQL("to_jsonb(t.{}) #>> '{{}}'").format(sql.Identifier(name))
