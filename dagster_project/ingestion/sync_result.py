"""How a sync has ended, for whoever started it."""

from dataclasses import dataclass
from typing import Literal

from dagster_project.ingestion.logs.sync_log import SyncCounts


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How a sync has ended.

    Attributes:
        status: "partial" when the quota ran out, or a window did not add up.
        reason: why it is partial; None for a success.
        source_kind: who answered, as "b2chat" or "sandbox"; None when the quota was gone before anyone could.
        windows_read: windows fully read, of `windows`.
        windows_unreadable: a text for each window that could not be read; it is tried again by the next sync.
        windows_incomplete: windows whose records did not add up to the total that the source named.
        days_waiting: older days with records that may change, left to later syncs.
        counts: pages and records, by what became of them.
        seconds: how long it took.
        quota_left: requests left of the day; None when there is no limit or it is not known.
    """

    sync_id: str
    entity: str
    status: Literal["success", "partial"]
    reason: str | None
    source_kind: str | None
    windows: int
    windows_read: int
    windows_incomplete: list[str]
    windows_unreadable: list[str]
    days_waiting: int
    counts: SyncCounts
    seconds: float
    quota_left: int | None
