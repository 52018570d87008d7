"""A row of the schema `calls` with all that becomes of it: what it is at an instant follows from that alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = dict[str, Any]
# The columns that a writer fills, by table in the order of foreign keys, and what stands in them where nothing is said.
COLUMNS: Mapping[str, Row] = {
    "organizations": {"name": None, "timezone": None, "is_active": True},
    "users": {"organization_id": None, "email": None, "name": None, "role": "agent"},
    "sites": {"organization_id": None, "name": None, "domain": None},
    "agent_profiles": {"organization_id": None, "user_id": None, "display_name": None, "is_active": True},
    "pools": {"organization_id": None, "name": None, "is_active": True},
    "agent_pool_members": {"pool_id": None, "agent_profile_id": None, "added_at": None, "removed_at": None},
    "pool_routing_rules": {"pool_id": None, "priority": 1, "condition": None},
    "dispositions": {"organization_id": None, "name": None, "color": None, "is_success": None},
    "invites": dict.fromkeys(("organization_id", "email", "token", "invited_by", "expires_at", "accepted_at")),
    "widget_pageviews": {
        **dict.fromkeys(("organization_id", "site_id", "pool_id", "visitor_id", "visitor_country_code", "page_url")),
        **dict.fromkeys(("referrer_domain", "popup_shown_at", "popup_dismissed_at")),
        "is_bot": False,
    },
    "call_logs": {
        **dict.fromkeys(("organization_id", "site_id", "pool_id", "agent_id", "disposition_id", "visitor_id")),
        **dict.fromkeys(("pageview_id", "page_url", "visitor_country_code", "ring_started_at", "answered_at")),
        **dict.fromkeys(("ended_at", "ended_by", "reconnect_token", "reconnect_deadline_at")),
        "status": "pending",
        "reconnect_eligible": False,
        "reconnect_count": 0,
    },
    "call_offers": dict.fromkeys(("call_id", "call_created_at", "agent_id", "offered_at", "outcome", "decided_at")),
    "agent_sessions": dict.fromkeys(("agent_id", "organization_id", "started_at", "ended_at", "ended_by")),
    "agent_status_changes": dict.fromkeys(("agent_id", "from_status", "to_status", "reason", "changed_at")),
    **{
        name: {"organization_id": None, "kind": None, "value": None, "payload": None}
        for name in ("feedback_items", "funnel_events", "pmf_surveys", "mrr_snapshots", "mrr_changes")
    },
}
# With the id they are the key of a monthly table.
MONTH = {
    "widget_pageviews": "created_at",
    "call_logs": "created_at",
    "call_offers": "call_created_at",
    "agent_sessions": "started_at",
    "agent_status_changes": "changed_at",
}


@dataclass(slots=True)
class Life:
    """A row.

    Attributes:
        at: when it happened, as the row says (`created_at`).
        written_at: when it was written, which is later where it came late.
        changes: what changed, and when, in this order.
    """

    table: str
    id: str
    at: datetime
    values: Row
    written_at: datetime
    changes: list[tuple[datetime, Row]] = field(default_factory=list)

    def then(self, at: datetime, **values: Any) -> None:
        """It changes."""
        self.changes.append((max(at, self.written_at), values))

    def as_of(self, until: datetime) -> Row | None:
        """The row at an instant; None before it was written."""
        if self.written_at > until:
            return None
        row = {"id": self.id} | COLUMNS[self.table] | self.values | {"created_at": self.at}
        row["updated_at"] = self.written_at
        for at, values in self.changes:
            if at <= until:
                row |= values
                row["updated_at"] = max(at, row["updated_at"])
        return row


def begun(table: str, identity: str, at: datetime, written_at: datetime | None = None, **values: Any) -> Life:
    """A row that is written when it happens, or later."""
    return Life(table, identity, at, values, written_at or at)
