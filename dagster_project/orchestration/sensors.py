"""What reacts with a run: to new audit exports, to batches of Claude that are done."""

import hashlib

import dagster as dg

from dagster_project.analysis.classifiers import has_key
from dagster_project.analysis.claude import batch_rows
from dagster_project.orchestration.jobs import categorize_chats, land_audit_export
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from dagster_project.sources.b2chat_audit.source import audit_files as list_audit_files


def batches_sensor(settings: Settings) -> dg.SensorDefinition:
    """Collects message batches of Claude that a run did not wait for, every ten minutes until they are done."""

    @dg.sensor(
        name="claude_batches",
        job=categorize_chats,
        minimum_interval_seconds=120,
        default_status=dg.DefaultSensorStatus.RUNNING if has_key(settings) else dg.DefaultSensorStatus.STOPPED,
        description="Runs categorize_chats while a message batch of Claude is not collected; Claude is asked every ten "
        "minutes.",
    )
    def claude_batches(warehouse: Warehouse) -> dg.RunRequest | dg.SkipReason:
        with warehouse.connect() as conn:
            waiting = batch_rows.overdue(conn)
        if not waiting:
            return dg.SkipReason("no batch of Claude is waiting")
        return dg.RunRequest(run_key=f"{waiting[0]} {waiting[1]:%Y-%m-%dT%H:%M:%S}")

    return claude_batches


def audit_sensor(settings: Settings) -> dg.SensorDefinition:
    """Lands the audit exports in B2CHAT_AUDIT_FOLDER when a file is added or changed."""

    @dg.sensor(
        name="audit_files",
        job=land_audit_export,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.audit_folder else dg.DefaultSensorStatus.STOPPED,
        description="Runs when a file in B2CHAT_AUDIT_FOLDER is new or has changed.",
    )
    def audit_files() -> dg.RunRequest | dg.SkipReason:
        folder = settings.audit_folder
        if not folder or not folder.is_dir():
            return dg.SkipReason("B2CHAT_AUDIT_FOLDER is not set, or is no folder")
        files = list_audit_files(folder)
        if not files:
            return dg.SkipReason("the folder holds no CSV, XLSX or ZIP file")
        seen = "|".join(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files)
        return dg.RunRequest(run_key=hashlib.sha256(seen.encode()).hexdigest())

    return audit_files
