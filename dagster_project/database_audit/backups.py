"""How the backups are that this program makes: its folder of them knows, no catalogue does."""

from collections.abc import Mapping

import psycopg

from dagster_project.settings import Settings
from dagster_project.warehouse import data_source
from dagster_project.warehouse.backup import configured, folder


def backup_faults(settings: Settings, conn: psycopg.Connection) -> Mapping[str, str] | None:
    """What is wrong with backups and drills, as alerts say it; None where others make them, or none is to be judged."""
    faults = configured.faults(settings, data_source.account_since(conn))
    is_known = settings.backup_max_age_hours and (faults or folder.listed(settings.backup_path))
    return faults if is_known else None
