"""Tables of the conversations of all sources, and of what only chat rooms have."""

import psycopg
from psycopg import sql

from dagster_project.exports.tables.definitions import (
    Filters,
    Table,
    columns_of,
    condition,
    require,
    rows_of,
    values_of,
)

_OF_PATHS = (
    *("path", "step_count", "resolved_level", "total_seconds", "handover_seconds_sum"),
    *("t1_seconds", "t2_seconds", "t3_seconds", "manager_seconds"),
)


def conversations(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per conversation of every source that is not deleted; what a source has not is empty.

    Raises:
        NothingToExport: the marts are not built.
    """
    require(conn, "marts.conversations")
    own = [name for name in columns_of(conn, "conversations") if name != "is_deleted"]
    query = sql.SQL("""
        select {own} from marts.conversations where not is_deleted and {condition}
    """).format(
        own=sql.SQL(", ").join(map(sql.Identifier, own)),
        condition=condition(filters, "conversations", "created_local_date", departments="team_id"),
    )
    return Table("conversations", ("conversations",), query, values_of(filters), ("created_at", "conversation_id"))


def rooms(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per conversation in rooms that is not deleted: its times, and its way through the levels of support.

    Raises:
        NothingToExport: the marts are not built.
    """
    require(conn, "marts.room_response_times")
    own = [name for name in columns_of(conn, "room_response_times") if name != "is_deleted"]
    query = sql.SQL("""
        select {own}, {paths}
        from marts.room_response_times as chats
        left join marts.escalation_paths as paths on paths.conversation_id = chats.chat_id
        where not chats.is_deleted and {condition}
    """).format(
        own=sql.SQL(", ").join(sql.SQL("chats.{}").format(sql.Identifier(name)) for name in own),
        paths=sql.SQL(", ").join(sql.SQL("paths.{}").format(sql.Identifier(name)) for name in _OF_PATHS),
        condition=condition(filters, "chats", "created_local_date"),
    )
    marts = ("room_response_times", "escalation_paths")
    return Table("rooms", marts, query, values_of(filters), ("created_at", "chat_id"))


def escalations(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per escalation of a room, by the local day on which it was created and the agent to whom it is assigned.

    Raises:
        NothingToExport: the marts are not built.
    """
    wanted = condition(filters, "escalation_steps", "created_local_date")
    order = ("created_at", "conversation_id", "step_number")
    return rows_of(conn, "escalations", "escalation_steps", filters, wanted, order=order)
