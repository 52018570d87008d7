"""A sync of B2Chat, said shortly."""

from datetime import date
from typing import Any

from dagster_project.ingestion.sync import SyncResult, sync
from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.sources.b2chat.entities import B2CHAT
from dagster_project.sources.b2chat.source import B2Chat
from dagster_project.sources.contract import Mode, Scope


def sync_b2chat(
    url: str,
    client: B2ChatClient,
    *,
    entity: str,
    start_date: date,
    today: date,
    mode: Mode = "incremental",
    lookback_days: int = 3,
    sweep_days: int = 30,
    day_from: date | None = None,
    day_to: date | None = None,
    triggered_by: str = "test",
    **options: Any,
) -> SyncResult:
    """Sync "chats" or "contacts" into the warehouse at `url`."""
    scope = Scope(mode, today, start_date, lookback_days, sweep_days, day_from, day_to)
    return sync(url, B2Chat(client), B2CHAT.entity(entity), scope, triggered_by=triggered_by, **options)
