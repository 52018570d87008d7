"""The nightly backup, and the weekly drill that restores it on a server of its own."""

import dagster as dg

from dagster_project.exports.stores.configured import copies_of
from dagster_project.exports.stores.contract import StoreFailed
from dagster_project.orchestration.assets.launch import ByAdmin, require_admin
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.ui import markdown
from dagster_project.settings import Settings
from dagster_project.warehouse.backup import configured, folder
from dagster_project.warehouse.backup.folder import BackupFailed

KEY, DRILL = dg.AssetKey(["ops", "backup"]), dg.AssetKey(["ops", "restore_drill"])
_MAX_LISTED = 10  # tables that are listed


@dg.asset(
    key=KEY,
    group_name="backups",
    owners=["team:data"],
    kinds={"python", "postgres"},
    description="A backup of the whole database, with Dagster's own tables: pg_dump's files, a manifest of each "
    "table's rows, and a checksum of each file, in B2CHAT_BACKUP_DIR. Older ones go after B2CHAT_BACKUP_KEEP_DAYS.",
)
def backup(context: dg.AssetExecutionContext, config: ByAdmin, warehouse: Warehouse) -> dg.MaterializeResult:
    settings = Settings.load()
    user = require_admin(warehouse.url, context.run, config, "back the warehouse up")
    try:
        made = configured.back_up(settings, warehouse.url, user=user, copies=copies_of(settings))
    except (BackupFailed, StoreFailed) as error:
        raise dg.Failure(str(error)) from None
    manifest = made.backup.manifest
    largest = sorted(manifest["tables"].items(), key=lambda one: -one[1][0])[:_MAX_LISTED]
    context.log.info(f"{made.backup.name}: {folder.shown(made.backup.bytes)} in {manifest['seconds']} s")
    return dg.MaterializeResult(
        metadata={
            "name": made.backup.name,
            "bytes": made.backup.bytes,
            "seconds": manifest["seconds"],
            "rows": manifest["rows"],
            "tables": len(manifest["tables"]),
            "largest": markdown.table(["table", "rows"], [[name, f"{rows:,}"] for name, (rows, _) in largest]),
            "deleted": ", ".join(made.deleted) or "nothing",
        }
    )


@dg.op(description="Copy what changed in the server's files since the last time; once a week all of them.")
def copy_changes(context: dg.OpExecutionContext, config: ByAdmin, warehouse: Warehouse) -> None:
    user = require_admin(warehouse.url, context.run, config, "back the warehouse up")
    try:
        made = configured.back_up_changes(Settings.load(), warehouse.url, user=user)
    except BackupFailed as error:
        raise dg.Failure(str(error)) from None
    about = made.about
    context.log.info(f"{made.name}: {folder.shown(about['bytes'])} in {about['seconds']} s")
    context.add_output_metadata({"name": made.name, "base": about["base"] or "", "bytes": about["bytes"]})


@dg.job(
    name="back_up_changes",
    executor_def=dg.in_process_executor,
    description="An incremental backup of the server's files, where it is Postgres 17 or newer and lets us copy it.",
)
def back_up_changes_job() -> None:
    copy_changes()


@dg.asset(
    key=DRILL,
    group_name="backups",
    owners=["team:data"],
    kinds={"python", "postgres"},
    deps=[KEY],
    description="The newest backup, restored on a throw-away server of the embedded Postgres: every table has the rows "
    "that the manifest says, the migrations run, and what comes next goes on where the backup ends.",
)
def restore_drill(context: dg.AssetExecutionContext, config: ByAdmin, warehouse: Warehouse) -> dg.MaterializeResult:
    settings = Settings.load()
    require_admin(warehouse.url, context.run, config, "restore a backup")
    try:
        result = configured.try_out(settings, warehouse.url, folder.chosen(settings.backup_path, None))
    except BackupFailed as error:
        raise dg.Failure(str(error)) from None
    if not result["ok"]:
        raise dg.Failure(result["fault"], metadata={"backup": result["name"]})
    context.log.info(f"{result['name']}: {result['tables']} tables are the same, in {result['seconds']} s")
    return dg.MaterializeResult(
        metadata={
            "name": result["name"],
            "seconds": result["seconds"],
            "tables": result["tables"],
            "rows": result["rows"],
            "parts": markdown.table(["part", "seconds"], [[part, str(took)] for part, took in result["parts"].items()]),
        }
    )
