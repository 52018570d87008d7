"""Where backups go, and how long they stay."""

from pathlib import Path

from pydantic import Field

from dagster_project.settings.section import Section


class BackupSettings(Section):
    """Backups and restore drills"""

    backup_dir: Path | None = Field(
        None, description="Folder of backups, best on another disk. Default: backups, in the data folder."
    )
    backup_keep_days: int = Field(
        30, ge=1, le=3650, description="Days until a backup is deleted; the newest good one always stays."
    )
    backup_to_bucket: bool = Field(
        False,
        description="Copy each backup into the bucket of exports (B2CHAT_EXPORTS_BUCKET) too, under backups/, where "
        "it stays as long. It holds personal data and password verifiers: let nobody else read there.",
    )
    backup_jobs: int = Field(
        2, ge=1, le=32, description="Tables that a backup or a restore works on at a time, each on a connection."
    )
    backup_max_age_hours: int = Field(
        36,
        ge=0,
        le=8760,
        description="Hours without a good backup after which an alert says so, once an account was read for as long; "
        "0, where backups are made by others, as by the provider of the Postgres.",
    )
