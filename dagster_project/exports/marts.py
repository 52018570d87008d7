"""How a report asks the marts: statements with values of the caller's and SQL of ours, a row a dataclass."""

from typing import Any, TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable

Row = TypeVar("Row")
Values = dict[str, Any]


def rows(connection: psycopg.Connection, kind: type[Row], query: str, values: Values, **parts: Composable) -> list[Row]:
    """Run a statement whose `{names}` stand for SQL of ours, and whose `%(names)s` for values."""
    weekly = values.get("kind") == "week"
    known = {
        "times": SQL("marts.response_times_weekly" if weekly else "marts.response_times_monthly"),
        "stepped_times": SQL(_STEPPED[values.get("step", "day")]),
        "in_scope": SQL(IN_SCOPE),
        "days": SQL(_DAYS),
    }
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(SQL(query).format(**known, **parts), values).fetchall()


_STEPPED = {
    "day": "marts.response_times_daily",
    "week": "marts.response_times_weekly",
    "month": "marts.response_times_monthly",
}


IN_SCOPE = """
    case %(scope)s
        when 'all' then true
        when 'agent' then chats.agent_id = %(scope_id)s
        when 'department' then chats.department_id = %(scope_id)s
        when 'provider' then chats.provider = %(scope_id)s
        when 'direction' then chats.direction = %(scope_id)s
    end
"""


# A day's volumes from `first` on. Rollups do not tell directions apart; the chats of one are counted.
_DAYS = """
    select date, metric, value
    from marts.kpi_daily
    where date between %(first)s and %(end)s and scope = %(scope)s and scope_id = %(scope_id)s
        and metric in ('chats_created', 'chats_closed', 'messages_in', 'messages_out')

    union all

    select created_local_date, 'chats_created', count(*)
    from marts.chat_response_times
    where created_local_date between %(first)s and %(end)s
        and %(scope)s = 'direction' and direction = %(scope_id)s and not is_deleted
    group by created_local_date
"""
