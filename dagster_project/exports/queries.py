"""How a report asks the marts: statements with values of the caller's and SQL of ours, a row a dataclass."""

from typing import Any, TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable

Row = TypeVar("Row")
Values = dict[str, Any]


def rows(connection: psycopg.Connection, kind: type[Row], query: str, values: Values, **parts: Composable) -> list[Row]:
    """Run a statement whose `{names}` stand for SQL of ours, and whose `%(names)s` for values."""
    known = {"of_scope": SQL(_OF_SCOPE), "in_scope": SQL(IN_SCOPE)}
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(SQL(query).format(**known, **parts), values).fetchall()


# Rows of the marts by direction that a report is about.
_OF_SCOPE = "scope = %(members_of)s and scope_id = %(member_id)s and direction = %(direction)s"

# Chats that a report is about.
IN_SCOPE = """
    chats.direction = %(direction)s and case %(members_of)s
        when 'all' then true
        when 'agent' then chats.agent_id = %(member_id)s
        when 'department' then chats.department_id = %(member_id)s
        when 'provider' then chats.provider = %(member_id)s
    end
"""
