"""The tables that migrations brought into monthly partitions when they were filled already (how: monthly.py)."""

from dataclasses import dataclass

from dagster_project.warehouse.migrations.monthly import Moved


def _month_of(field: str) -> str:
    """SQL: the month of a field of a payload; of one that is no time, a month before all others."""
    return f"""
        case when old.payload ->> '{field}' ~ '^(199\\d|20\\d\\d|2100)-(0[1-9]|1[0-2])-'
            then (left(old.payload ->> '{field}', 7) || '-01')::date else '1990-01-01'::date end
    """


_SUPERSEDED = """
    coalesce((select loaded_at from ops.page_loads where load_id = old.superseded_by_load_id), old.loaded_at)
"""
_MAY_CHANGE = """
    (load_id) where payload ->> 'status' is distinct from 'CLOSED'
        and payload ->> 'status' is distinct from 'COMPLETED_POLL'
        and payload ->> 'status' is distinct from 'ABANDONED_POLL' and deleted_at is null
"""
OF_B2CHAT = (
    Moved(
        "raw.b2chat_chats",
        ("chat_id",),
        ("created_month", "date"),
        {
            "b2chat_chats_load_id_idx": "(load_id)",
            "b2chat_chats_deleted_idx": "(chat_id) where deleted_at is not null",
            "b2chat_chats_not_final_idx": _MAY_CHANGE,
            "b2chat_chats_created_day_idx": "(left(payload ->> 'created_at', 10))",
        },
        _month_of("created_at"),
        "load_id",
    ),
    Moved(
        "raw.b2chat_chat_versions",
        ("chat_id", "load_id"),
        ("superseded_at", "timestamptz"),
        {"b2chat_chat_versions_superseded_by_idx": "(superseded_by_load_id)"},
        _SUPERSEDED,
    ),
    Moved(
        "raw.b2chat_contact_versions",
        ("contact_id", "load_id"),
        ("superseded_at", "timestamptz"),
        {},
        _SUPERSEDED,
    ),
    Moved(
        "ops.sync_logs",
        ("id",),
        ("started_at", "timestamptz"),
        {
            "sync_logs_user_id_idx": "(user_id)",
            "sync_logs_status_idx": "(status)",
            "sync_logs_entity_type_idx": "(source, entity_type)",
        },
        changes="status",
    ),
    Moved(
        "ops.error_logs",
        ("id",),
        ("timestamp", "timestamptz"),
        {
            "error_logs_timestamp_idx": '("timestamp" desc)',
            **{
                f"error_logs_{column}_idx": f"({column})"
                for column in ("level", "user_id", "request_id", "correlation_id", "source")
            },
        },
    ),
)


def _of_source(source: str, **fields: str) -> tuple[Moved, ...]:
    """Tables whose rows are copied from another Postgres, each with the field that says the month of a row."""
    return tuple(
        Moved(
            f"raw.{source}_{table}",
            ("row_key",),
            ("row_month", "date"),
            {f"{source}_{table}_load_id_idx": "(load_id)"},
            _month_of(field),
            "load_id",
        )
        for table, field in fields.items()
    )


OF_ROOMS_AND_CALLS = (
    *_of_source("rooms", messages="created_at", messages_history="changed_at", user_presence_changes="changed_at"),
    *_of_source(
        "calls",
        call_logs="created_at",
        call_offers="call_created_at",
        widget_pageviews="created_at",
        agent_sessions="started_at",
        agent_status_changes="changed_at",
        funnel_events="created_at",
    ),
)


@dataclass(frozen=True)
class Move:
    """What is copied between two revisions, before the migration of the second one swaps it in."""

    before: str
    after: str
    tables: tuple[Moved, ...]


MOVES = (Move("0026", "0027", OF_B2CHAT), Move("0040", "0041", OF_ROOMS_AND_CALLS))
