"""The front door of Dagster: gathers assets, checks, jobs, schedules and resources."""

import dagster as dg

from dagster_project.orchestration.alert_sensors import fired, heartbeat_sensor, send_sensor, watch_sensor
from dagster_project.orchestration.assets.analysis import chat_categorizations
from dagster_project.orchestration.assets.backup import back_up_changes_job, backup, restore_drill
from dagster_project.orchestration.assets.customer_analysis import customer_analysis_job
from dagster_project.orchestration.assets.dashboard import dashboard_site
from dagster_project.orchestration.assets.database_audit import database_audit
from dagster_project.orchestration.assets.databases import raw_calls, raw_rooms
from dagster_project.orchestration.assets.dbt import dbt_models, tables_of_no_asset
from dagster_project.orchestration.assets.erasure import erase_people_job
from dagster_project.orchestration.assets.evaluation import classifier_evaluation
from dagster_project.orchestration.assets.exports import EXPORTS, clean_up_exports_job
from dagster_project.orchestration.assets.heatmap import weekly_heatmap_picture
from dagster_project.orchestration.assets.maintenance import (
    archive_months_job,
    clean_up_invites_job,
    enforce_retention_job,
    index_rooms_job,
    keep_partitions_job,
    retry_quarantine_job,
)
from dagster_project.orchestration.assets.raw import raw_audit_messages, raw_chats, raw_contacts
from dagster_project.orchestration.assets.review import review_queue
from dagster_project.orchestration.dbt_project import dbt_project, executable
from dagster_project.orchestration.jobs import JOBS
from dagster_project.orchestration.loggers import silent
from dagster_project.orchestration.resources import B2ChatAccount, DbtCli, Warehouse
from dagster_project.orchestration.schedules import daily_and_weekly, refresh_schedule, weekly_report_schedule
from dagster_project.orchestration.sensors import audit_sensor, batches_sensor
from dagster_project.settings import Settings

settings = Settings.load()

made = [
    raw_contacts,
    raw_chats,
    raw_audit_messages,
    raw_rooms,
    raw_calls,
    dbt_models,
    chat_categorizations,
    review_queue,
    classifier_evaluation,
    database_audit,
    backup,
    restore_drill,
    dashboard_site,
    weekly_heatmap_picture,
    *EXPORTS,
]
defs = dg.Definitions(
    assets=[*made, *tables_of_no_asset(made), fired],
    jobs=[
        *JOBS,
        customer_analysis_job,
        retry_quarantine_job,
        keep_partitions_job,
        archive_months_job,
        enforce_retention_job,
        clean_up_exports_job,
        clean_up_invites_job,
        index_rooms_job,
        back_up_changes_job,
        erase_people_job,
    ],
    schedules=[refresh_schedule(settings), weekly_report_schedule(settings), *daily_and_weekly(settings)],
    sensors=[
        watch_sensor(settings),
        send_sensor(settings),
        heartbeat_sensor(settings),
        audit_sensor(settings),
        batches_sensor(settings),
    ],
    resources={
        "warehouse": Warehouse(url=dg.EnvVar("DATABASE_URL")),
        "b2chat": B2ChatAccount.from_settings(settings),
        "dbt": DbtCli(
            project_dir=str(dbt_project.project_dir),
            profiles_dir=str(dbt_project.project_dir),
            dbt_executable=executable("b2chat-dbt"),
        ),
    },
    loggers={"console": dg.colored_console_logger, "silent": silent},
    executor=dg.in_process_executor,
)
