"""What a reading by time may have missed: days of which other rows have landed than the source holds."""

from collections.abc import Iterator

from psycopg import sql

from dagster_project.sources.contract import History, Scope
from dagster_project.sources.postgres_reader.window import Rows, Selection

_CREATED = "created_at"


def that_differ(selection: Selection, scope: Scope, history: History) -> Iterator[Rows]:
    """The days to read again whole: each night count and hash of all rows are compared by the day of their creation.

    What was deleted at the source is not found that way, but where history tells of it.
    """
    if scope.mode != "sweep" or _CREATED not in selection.table.fields:
        return
    landed = history.days_landed(_CREATED)
    for day, count, hashes in selection.server.rows(_held(selection)):
        if landed.get(day) != (count, int(hashes)):
            yield Rows(selection.window.system, selection.mark.mode, None, None, day)


def _held(selection: Selection) -> sql.Composed:
    """By day, how many rows the source holds, and the sum of their hashes (see `History.days_landed`)."""
    return sql.SQL("""
        select (t.{created} at time zone 'UTC')::date, count(*),
            sum(('x' || left(md5(row_to_json(payload.*)::text), 15))::bit(60)::bigint)
        from {table} as t cross join lateral (select {fields}) as payload
        group by 1 order by 1
    """).format(
        created=sql.Identifier(_CREATED),
        table=sql.Identifier(selection.server.schema, selection.table.name),
        fields=selection.fields,
    )
