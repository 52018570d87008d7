"""The jobs. Each runs in one process: a spawned step would cost more than most steps do."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from dagster_project.exports.tables.catalogue import TABLES
from dagster_project.orchestration.assets.analysis import CategorizeConfig
from dagster_project.orchestration.assets.backup import DRILL
from dagster_project.orchestration.assets.backup import KEY as BACKUP
from dagster_project.orchestration.assets.dashboard import SiteConfig
from dagster_project.orchestration.assets.database_audit import AuditConfig
from dagster_project.orchestration.assets.databases import DatabaseConfig, raw_calls, raw_rooms
from dagster_project.orchestration.assets.dbt import DbtConfig
from dagster_project.orchestration.assets.evaluation import EvaluationConfig
from dagster_project.orchestration.assets.exports import ReportConfig, TableConfig
from dagster_project.orchestration.assets.launch import ByAdmin
from dagster_project.orchestration.assets.raw import ChatsConfig, ContactsConfig

CHATS, CONTACTS = dg.AssetKey(["raw", "chats"]), dg.AssetKey(["raw", "contacts"])
AUDIT = dg.AssetKey(["raw", "audit_messages"])
REPORT = dg.AssetKey(["exports", "report"])
CATEGORIES = dg.AssetKey(["analysis", "chat_categorizations"])

_RAW = dg.AssetSelection.groups("raw")
_ROOMS, _CALLS = (dg.AssetSelection.assets(*step.keys) for step in (raw_rooms, raw_calls))
# Run when somebody asks for them: they cost money, or make something to hand on; or on a schedule of their own.
_ON_DEMAND = dg.AssetSelection.groups("evaluation", "exports", "operations", "dashboard", "backups")
_MODELS = dg.AssetSelection.all() - _RAW - _ON_DEMAND


def _job(name: str, selection: dg.AssetSelection, description: str, config: Mapping[str, dg.Config]) -> Any:
    """A job whose launchpad shows what can be chosen: the config of its steps, with the values that it runs with."""
    ops = dg.RunConfig(ops=dict(config)).to_config_dict()["ops"]
    return dg.define_asset_job(
        name,
        selection,
        executor_def=dg.in_process_executor,
        description=description,
        config={"ops": ops},
    )


def _values(config: type[dg.Config], **chosen: Any) -> dg.Config:
    return config(**chosen)


refresh_all = _job(
    "refresh_all",
    dg.AssetSelection.all() - _ON_DEMAND,
    "The main job: read what may have changed, build and test what follows from it, paint the week's heatmap.",
    {"dbt_models": _values(DbtConfig)},
)
sync_all = _job(
    "sync_all",
    _RAW,
    "Read what may have changed in all sources that are on, and land it; builds nothing.",
    {
        "raw__chats": _values(ChatsConfig),
        "raw__contacts": _values(ContactsConfig),
        "raw_rooms": _values(DatabaseConfig),
        "raw_calls": _values(DatabaseConfig),
    },
)
sync_b2chat = _job(
    "sync_b2chat",
    _RAW - _ROOMS - _CALLS,
    "Read what may have changed in B2Chat, and land it; builds nothing.",
    {"raw__chats": _values(ChatsConfig), "raw__contacts": _values(ContactsConfig)},
)
sync_databases = _job(
    "sync_databases",
    _ROOMS | _CALLS,
    "Read what is new in the databases of rooms and calls, as far as they are on; builds nothing.",
    {"raw_rooms": _values(DatabaseConfig), "raw_calls": _values(DatabaseConfig)},
)
sync_rooms = _job(
    "sync_rooms",
    _ROOMS,
    "Read what is new in the database of rooms, and land it; builds nothing.",
    {"raw_rooms": _values(DatabaseConfig)},
)
sync_calls = _job(
    "sync_calls",
    _CALLS,
    "Read what is new in the database of calls, and land it; builds nothing.",
    {"raw_calls": _values(DatabaseConfig)},
)
sync_full = _job(
    "sync_full",
    dg.AssetSelection.assets(CHATS, CONTACTS) | _ROOMS | _CALLS,
    "Read all history again: of B2Chat since the start date, of rooms and calls all rows.",
    {
        "raw__chats": _values(ChatsConfig, mode="full"),
        "raw__contacts": _values(ContactsConfig, mode="full"),
        "raw_rooms": _values(DatabaseConfig, mode="full"),
        "raw_calls": _values(DatabaseConfig, mode="full"),
    },
)
sweep_recent = _job(
    "sweep_recent",
    dg.AssetSelection.assets(CHATS) | _ROOMS | _CALLS,
    "Read all of the last days again (B2CHAT_SWEEP_DAYS); of rooms and calls, days of which other rows have landed; "
    "of calls, what is not there any more.",
    {
        "raw__chats": _values(ChatsConfig, mode="sweep"),
        "raw_rooms": _values(DatabaseConfig, mode="sweep"),
        "raw_calls": _values(DatabaseConfig, mode="sweep"),
    },
)
sync_contacts = _job(
    "sync_contacts",
    dg.AssetSelection.assets(CONTACTS),
    "Read all contacts again.",
    {"raw__contacts": _values(ContactsConfig, mode="full")},
)
backfill_days = _job(
    "backfill_days",
    dg.AssetSelection.assets(CHATS),
    "Read the creation days from date_start to date_end again; by default the last week's.",
    {"raw__chats": _values(ChatsConfig, mode="backfill")},
)
land_audit_export = _job(
    "land_audit_export",
    dg.AssetSelection.assets(AUDIT).downstream(),
    "Land the audit exports in B2CHAT_AUDIT_FOLDER and build what follows from them.",
    {},
)
categorize_chats = _job(
    "categorize_chats",
    dg.AssetSelection.assets(CATEGORIES),
    "Categorize the chats that are new: by Claude, or rules.",
    {"analysis__chat_categorizations": _values(CategorizeConfig)},
)
build_marts = _job(
    "build_marts",
    _MODELS,
    "Build and test every model from what has landed, new or not; asks B2Chat nothing.",
    {"dbt_models": _values(DbtConfig, force=True)},
)
weekly_report = _job(
    "weekly_report",
    dg.AssetSelection.assets(REPORT),
    "Write a week's or a month's report as PDF and Excel; by default the last full week's.",
    {"exports__report": _values(ReportConfig)},
)
export_tables = _job(
    "export_tables",
    dg.AssetSelection.groups("exports") - dg.AssetSelection.assets(REPORT),
    "Write chats, agents' days, KPIs, and what rooms and calls have, to files; by default all of them.",
    {f"exports__{table}": _values(TableConfig) for table in TABLES},
)
verify_all = _job(
    "verify_all",
    _MODELS,
    "Build, and test every row there is; the other jobs test the rows that they brought.",
    {"dbt_models": _values(DbtConfig, test_everything=True)},
)
evaluate_classifier = _job(
    "evaluate_classifier",
    dg.AssetSelection.groups("evaluation"),
    "Score a classifier on labelled chats, and compare it with the version before.",
    {"analysis__classifier_evaluation": _values(EvaluationConfig)},
)
audit_database = _job(
    "audit_database",
    dg.AssetSelection.groups("operations"),
    "Audit the database: what is wrong with tables, indexes, statements and rights, and what would mend it.",
    {"ops__database_audit": _values(AuditConfig)},
)
publish_dashboard = _job(
    "publish_dashboard",
    dg.AssetSelection.groups("dashboard"),
    "Write the dashboard's static site anew: the last weeks, in Spanish and English.",
    {"dashboard__site": _values(SiteConfig)},
)
back_up_warehouse = _job(
    "back_up_warehouse",
    dg.AssetSelection.assets(BACKUP),
    "Back the warehouse up into B2CHAT_BACKUP_DIR, and delete backups that are older than they are kept.",
    {"ops__backup": _values(ByAdmin)},
)
drill_restore = _job(
    "drill_restore",
    dg.AssetSelection.assets(DRILL),
    "Restore the newest backup on a throw-away server, and compare every table with what was backed up.",
    {"ops__restore_drill": _values(ByAdmin)},
)

JOBS = [
    refresh_all,
    sync_all,
    sync_b2chat,
    sync_databases,
    sync_rooms,
    sync_calls,
    sync_full,
    sweep_recent,
    sync_contacts,
    backfill_days,
    land_audit_export,
    build_marts,
    verify_all,
    categorize_chats,
    weekly_report,
    export_tables,
    evaluate_classifier,
    audit_database,
    publish_dashboard,
    back_up_warehouse,
    drill_restore,
]
