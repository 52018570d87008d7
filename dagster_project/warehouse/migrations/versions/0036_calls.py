"""Calls land: a table of raw for each of theirs."""

from dagster_project.warehouse.migrations.copied import create_tables, drop_tables

revision = "0036"
down_revision = "0035"

TABLES = (
    "organizations",
    "users",
    "sites",
    "agent_profiles",
    "pools",
    "agent_pool_members",
    "pool_routing_rules",
    "dispositions",
    "call_logs",
    "call_offers",
    "widget_pageviews",
    "agent_sessions",
    "agent_status_changes",
    "invites",
    "feedback_items",
    "funnel_events",
    "pmf_surveys",
    "mrr_snapshots",
    "mrr_changes",
)


def upgrade() -> None:
    create_tables("calls", TABLES, "call")


def downgrade() -> None:
    drop_tables("calls", TABLES)
