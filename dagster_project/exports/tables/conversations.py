"""Tables of the conversations of all sources, and of what only chat rooms have."""

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
        select {own}
        from (select *, team_id as department_id from marts.conversations) as conversations
        where not is_deleted and {condition}
    """).format(
        own=sql.SQL(", ").join(map(sql.Identifier, own)),
        condition=condition(
            "conversations",
            "created_local_date",
            {"agent_id": filters.agents, "department_id": filters.departments, "channel": filters.channels},
        ),
    )
    return Table("conversations", ("conversations",), query, values_of(filters), ("created_at", "conversation_id"))


def rooms(conn: psycopg.Connection, filters: Filters) -> Table:
    """A row per conversation in rooms that is not deleted: its times, and its way through the levels of support.

    Raises:
        NothingToExport: the marts are not built, or no room has ever landed.
    """
    _require_rooms(conn)
    own = [name for name in columns_of(conn, "room_response_times") if name != "is_deleted"]
    query = sql.SQL("""
        select {own}, {paths}
        from marts.room_response_times as chats
        left join marts.escalation_paths as paths on paths.conversation_id = chats.chat_id
        where not chats.is_deleted and {condition}
    """).format(
        own=sql.SQL(", ").join(sql.SQL("chats.{}").format(sql.Identifier(name)) for name in own),
        paths=sql.SQL(", ").join(sql.SQL("paths.{}").format(sql.Identifier(name)) for name in _OF_PATHS),
        condition=condition(
            "chats",
            "created_local_date",
            {"agent_id": filters.agents, "department_id": filters.departments},
        ),
    )
    marts = ("room_response_times", "escalation_paths")
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
    require(conn, "marts.room_response_times")
    found = conn.execute("select from marts.room_response_times limit 1").fetchone()
    if found is None:
        raise NothingToExport("no conversation in a room has landed: ROOMS_DATABASE_URL says where they are")
