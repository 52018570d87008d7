"""Tables of chat rooms: conversations in them, and their escalations."""

import psycopg
from psycopg import sql

from dagster_project.exports.tables.definitions import (
    Filters,
    NothingToExport,
    Table,
    columns_of,
    condition,
    require,
    values_of,
)

SOURCE = "rooms"
_OF_PATHS = (
    *("path", "step_count", "resolved_level", "total_seconds", "handover_seconds_sum"),
    *("t1_seconds", "t2_seconds", "t3_seconds", "manager_seconds"),
)


def rooms(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per conversation in rooms that is not deleted: its times, and its way through the levels of support.

    Raises:
        NothingToExport: the marts are not built, or no room has ever landed.
    """
    _require_rooms(conn)
    own = [name for name in columns_of(conn, "chat_response_times") if name != "is_deleted"]
    query = sql.SQL("""
        select {own}, {paths}
        from marts.chat_response_times as chats
        left join marts.escalation_paths as paths on paths.conversation_id = chats.chat_id
        where chats.source = {source} and not chats.is_deleted and {condition}
    """).format(
        own=sql.SQL(", ").join(sql.SQL("chats.{}").format(sql.Identifier(name)) for name in own),
        paths=sql.SQL(", ").join(sql.SQL("paths.{}").format(sql.Identifier(name)) for name in _OF_PATHS),
        source=sql.Literal(SOURCE),
        condition=condition(
            "chats",
            "created_local_date",
            {"agent_id": filters.agents, "department_id": filters.departments},
        ),
    )
    marts = ("chat_response_times", "escalation_paths")
    return Table("rooms", marts, query, values_of(filters), ("created_at", "chat_id"))


def escalations(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per escalation of a room, by the local day on which it was created and the agent to whom it is assigned.

    Raises:
        NothingToExport: the marts are not built, no room has ever landed, or a filter asks for departments or channels.
    """
    if filters.departments or filters.channels:
        raise NothingToExport("escalations know no departments and channels: filter by days and agents")
    _require_rooms(conn)
    query = sql.SQL("select {} from marts.escalation_steps as steps where {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns_of(conn, "escalation_steps"))),
        condition("steps", "created_local_date", {"agent_id": filters.agents}),
    )
    order = ("created_at", "conversation_id", "step_number")
    return Table("escalations", ("escalation_steps",), query, values_of(filters), order)


def _require_rooms(conn: psycopg.Connection) -> None:
    """That marts are built, and that a room is in them."""
    require(conn, "marts.escalation_steps")
    found = conn.execute("select from marts.chat_response_times where source = %s limit 1", [SOURCE]).fetchone()
    if found is None:
        raise NothingToExport("no conversation in a room has landed: ROOMS_DATABASE_URL says where they are")
