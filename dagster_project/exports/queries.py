"""How exports read the marts: the rows of a relation by the values of its columns, a row a dataclass."""

from dataclasses import dataclass, fields
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable, Identifier

Row = TypeVar("Row")


@dataclass(frozen=True)
class Between:
    """The values from the first to the last, both included."""

    first: Any
    last: Any


def select(
    connection: psycopg.Connection,
    kind: type[Row],
    relation: str,
    where: dict[str, Any],
    *,
    order_by: LiteralString = "1",
    limit: int | None = None,
    **columns: str,
) -> list[Row]:
    """Read rows. What a number is made of is the relation's matter: here nothing is computed.

    Args:
        kind: a dataclass; each field is the column of its name.
        relation: schema and name.
        where: by column a value, None for NULL, a list of values or a `Between`.
        order_by: SQL of ours; without, by the first field.
        limit: at most so many rows.
        columns: of the fields that are called otherwise, the column.
    """
    shown = [
        SQL("{} as {}").format(Identifier(columns.get(field.name, field.name)), Identifier(field.name))
        for field in fields(kind)  # type: ignore[arg-type]
    ]
    query = SQL("select {} from {} where {} order by {} limit {}").format(
        SQL(", ").join(shown),
        Identifier(*relation.split(".")),
        SQL(" and ").join([_condition(column, value) for column, value in where.items()] or [SQL("true")]),
        SQL(order_by),
        limit,
    )
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query).fetchall()


def _condition(column: str, value: Any) -> Composable:
    name = Identifier(column)
    if value is None:
        return SQL("{} is null").format(name)
    if isinstance(value, Between):
        return SQL("{} between {} and {}").format(name, value.first, value.last)
    return SQL("{} = any({})" if isinstance(value, list) else "{} = {}").format(name, value)
