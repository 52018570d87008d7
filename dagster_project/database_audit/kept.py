"""For how long the rows of a table stay: what is kept for a time levels off, however much comes."""

from dagster_project.settings import Settings
from dagster_project.warehouse.archive.contract import TABLES


def kept_days(settings: Settings) -> dict[str, int]:
    """Days by table, of those whose rows all leave at that age; others are kept for good."""
    months = {table: one.online_months or settings.archive_after_months for table, one in TABLES.items()}
    archived = {table: count * 365 // 12 for table, count in months.items() if count}
    return archived | {
        "ops.api_response_logs": settings.retention_responses_days,
        "ops.sync_logs": settings.retention_sync_logs_days,
        "ops.sync_checkpoints": settings.retention_sync_logs_days,
        "ops.error_logs": settings.retention_error_logs_days,
        "ops.notifications": settings.retention_notifications_days,
        "ops.audit_logs": settings.retention_audit_years * 365,
    }
