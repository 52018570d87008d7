"""What an export reads: one statement, its columns in the order of the mart, and the filters that narrow it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import psycopg
from psycopg import sql

from dagster_project.exports.i18n.language import Language
from dagster_project.warehouse.connection import has_relation
from dagster_project.warehouse.directory import NOTHING_YET

Kind = Literal["text", "integer", "decimal", "boolean", "date", "timestamp"]
_KINDS: dict[str, Kind] = {
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "float4": "decimal",
    "float8": "decimal",
    "numeric": "decimal",
    "bool": "boolean",
    "date": "date",
    "timestamptz": "timestamp",
}
_NOT_EXPORTED = {"load_id"}  # our own bookkeeping


class NothingToExport(Exception):
    """What was asked for is not there; the text says what is."""


@dataclass(frozen=True)
class Filters:
    """Which chats: of local days (both included), of ids of agents and departments, of channels; empty is all."""

    first: date | None = None
    last: date | None = None
    agents: Sequence[str] = ()
    departments: Sequence[str] = ()
    channels: Sequence[str] = ()

    def as_values(self) -> dict[str, Any]:
        """As plain values, for the log and the manifest."""
        return {
            name: value
            for name, value in {
                "from": self.first and self.first.isoformat(),
                "to": self.last and self.last.isoformat(),
                "agents": list(self.agents),
                "departments": list(self.departments),
                "channels": list(self.channels),
            }.items()
            if value
        }


@dataclass(frozen=True)
class Column:
    """A column of a table, and Postgres' name of its type."""

    name: str
    kind: Kind
    postgres_type: str


@dataclass(frozen=True)
class Table:
    """A statement, the marts that it reads, the order in which people read its rows, and what to say of it."""

    name: str
    marts: tuple[str, ...]
    query: sql.Composable
    values: Mapping[str, Any] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    def columns(self, conn: psycopg.Connection) -> list[Column]:
        """Its columns, without reading a row."""
        described = conn.execute(sql.SQL("select * from ({}) as rows limit 0").format(self.query), self.values)
        return [
            Column(column.name, _KINDS.get(column.type_display.partition("(")[0], "text"), column.type_display)
            for column in described.description or []
        ]


# What makes a table, with words in that language. It raises NothingToExport where its marts are not built.
Make = Callable[[psycopg.Connection, Filters, Language], Table]


def condition(filters: Filters, alias: str, day: str | None, **columns: str) -> sql.Composable:
    """Of the parts of a filter those that are set.

    Args:
        alias: of the relation that is filtered.
        day: its column of local days; None where it has none.
        columns: those of agents, departments and channels, where they are called otherwise than elsewhere.
    """
    parts: list[sql.Composable] = [sql.SQL("true")]
    if day:
        between = "(%(first)s::date is null or {0} >= %(first)s) and (%(last)s::date is null or {0} <= %(last)s)"
        parts = [sql.SQL(between).format(sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(day)))]
    of = {"agents": "agent_id", "departments": "department_id", "channels": "channel"} | columns
    parts += [
        sql.SQL("{}.{} = any({})").format(sql.Identifier(alias), sql.Identifier(of[name]), sql.Placeholder(name))
        for name in of
        if getattr(filters, name)
    ]
    return sql.SQL(" and ").join(parts)


def values_of(filters: Filters) -> dict[str, Any]:
    """What the placeholders of `condition` stand for."""
    return {
        "first": filters.first,
        "last": filters.last,
        "agents": list(filters.agents),
        "departments": list(filters.departments),
        "channels": list(filters.channels),
    }


def require(conn: psycopg.Connection, mart: str) -> None:
    """That the mart is built."""
    if not has_relation(conn, mart):
        raise NothingToExport(NOTHING_YET)


def columns_of(conn: psycopg.Connection, mart: str) -> list[str]:
    """The columns of a mart that are not our own bookkeeping, in order."""
    rows = conn.execute(
        """
        select attname from pg_attribute
        inner join pg_class on pg_class.oid = attrelid
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = 'marts' and relname = %s and attnum > 0 and not attisdropped
        order by attnum
        """,
        [mart],
    ).fetchall()
    return [row[0] for row in rows if row[0] not in _NOT_EXPORTED]
