"""What B2Chat exports, landed untouched: one asset an entity, one step at a time on the account."""

import logging
import time
import warnings
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import dagster as dg
from psycopg import sql
from pydantic import Field

from dagster_project.assets.partitions import creation_days
from dagster_project.b2chat.errors import B2ChatError, BadAnswer, TransientError
from dagster_project.b2chat.records import Entity
from dagster_project.ingestion.audit_export import AuditResult, land_audit_files
from dagster_project.ingestion.errors import IngestionError, WarehouseFailed
from dagster_project.ingestion.progress import PROGRESS_LOGGER, Progress
from dagster_project.ingestion.quarantine import quarantine_counts
from dagster_project.ingestion.ration import PostgresRation
from dagster_project.ingestion.sync import SyncResult, sync
from dagster_project.resources import B2ChatAccount, Warehouse
from dagster_project.settings import Settings

# A backfill of many days is one run; that this is still beta in Dagster is no news to who opens the UI.
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)
log, bar = logging.getLogger(__name__), logging.getLogger(PROGRESS_LOGGER)

_AUDIT = dg.AssetKey(["raw", "audit_messages"])
ACCOUNT_POOL = "b2chat_account"
FIRST_READ_DAYS = 90
_SECONDS_BETWEEN_LINES = 5.0
_RETRIES = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
_COMMON: dict[str, Any] = {
    "group_name": "raw", "owners": ["team:data"], "kinds": {"python", "postgres"}, "retry_policy": _RETRIES,
}  # fmt: skip


class DaysConfig(dg.Config):
    """What to make of what was read."""

    confirm_deletions: bool = Field(
        False,
        description="Mark records as deleted although most of a day, or of what the run read, is gone: for one run, "
        "when you have seen in B2Chat that it is so. Without it the run warns, and nothing is marked.",
    )


class SyncConfig(DaysConfig):
    """How much to read, and what to make of it."""

    mode: Literal["incremental", "full", "sweep"] = Field(
        "incremental",
        description="incremental: what may have changed. full: every day since the start date. "
        "sweep: all of the last days (B2CHAT_SWEEP_DAYS).",
    )


def _raw_asset(entity: Entity, description: str) -> dg.AssetsDefinition:
    key = dg.AssetKey(["raw", entity])

    @dg.asset(key=key, description=description, pool=ACCOUNT_POOL, check_specs=[_quarantine_spec(key)], **_COMMON)
    def landed(
        context: dg.AssetExecutionContext, config: SyncConfig, b2chat: B2ChatAccount, warehouse: Warehouse
    ) -> dg.MaterializeResult:
        result = _sync(context, entity, b2chat, warehouse, mode=config.mode, confirm_deletions=config.confirm_deletions)
        return dg.MaterializeResult(
            metadata=_metadata(result, entity, warehouse),
            check_results=[_quarantine_check([entity, "message"] if entity == "chats" else [entity], warehouse)],
        )

    return landed


def _quarantine_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        "nothing_in_quarantine",
        asset=key,
        description="Every record that arrived could be read: warns over 0, fails over B2CHAT_QUARANTINE_ERROR_SHARE.",
    )


raw_chats = _raw_asset(
    "chats", "Chats with their messages, the newest version of each, as `/chats/export` gave them (`raw.chats`)."
)
raw_contacts = _raw_asset(
    "contacts", "Contacts with tags and attributes, the newest version of each, as `/contacts/export` gave them "
    "(`raw.contacts`).")  # fmt: skip


@dg.asset(
    key=["raw", "chat_days"], pool=ACCOUNT_POOL, partitions_def=creation_days(Settings.load()),
    backfill_policy=dg.BackfillPolicy.single_run(), **_COMMON,
    description="Creation days of chats, read again on request: choose days and materialize them. The refreshes need "
    "none of it; it lands in `raw.chats` like they do.",
)  # fmt: skip
def raw_chat_days(
    context: dg.AssetExecutionContext, config: DaysConfig, b2chat: B2ChatAccount, warehouse: Warehouse
) -> dg.MaterializeResult:
    days = context.partition_key_range
    result = _sync(
        context, "chats", b2chat, warehouse, mode="backfill", confirm_deletions=config.confirm_deletions,
        day_from=date.fromisoformat(days.start), day_to=date.fromisoformat(days.end))  # fmt: skip
    return dg.MaterializeResult(metadata=_metadata(result, "chats", warehouse))


@dg.asset(
    key=_AUDIT,
    description="Messages of the console's audit exports in B2CHAT_AUDIT_FOLDER: the only source of those of "
    "agent-initiated chats (`raw.audit_messages`, a row a chat in `raw.audit_chats`).",
    check_specs=[
        _quarantine_spec(_AUDIT),
        dg.AssetCheckSpec("every_file_could_be_read", asset=_AUDIT, description="No file in the folder was refused."),
    ],
    **_COMMON,
)
def raw_audit_messages(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    folder = Settings.load().audit_folder
    result = AuditResult() if not folder else _land_audit(warehouse, folder, _starter(context))
    return dg.MaterializeResult(
        metadata={
            "folder": str(folder or "none: B2CHAT_AUDIT_FOLDER is not set"),
            "new_files": result.files_new,
            "known_files": result.files_known,
            "rows": result.rows,
            "new": result.new,
            "duplicates": result.duplicates,
            "quarantined": result.quarantined,
        },
        check_results=[
            _quarantine_check(["audit"], warehouse),
            dg.AssetCheckResult(
                check_name="every_file_could_be_read",
                passed=not result.failed,
                severity=dg.AssetCheckSeverity.WARN,
                description="; ".join([*result.failed, *result.notes]) or None,
            ),
        ],
    )


def _land_audit(warehouse: Warehouse, folder: Path, starter: str) -> AuditResult:
    try:
        result = land_audit_files(warehouse.url, folder, triggered_by=starter)
    except WarehouseFailed:
        raise
    except IngestionError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    log.info("Audit exports: %d new files, %d rows, %d new", result.files_new, result.rows, result.new)
    return result


def _sync(
    context: dg.AssetExecutionContext, entity: Entity, b2chat: B2ChatAccount, warehouse: Warehouse, **how: Any
) -> SyncResult:
    settings = Settings.load()
    with (
        PostgresRation(warehouse.url, b2chat.client_id, b2chat.requests_per_day, settings.today) as ration,
        b2chat.client(ration) as client,
    ):
        today = settings.today()
        try:
            return sync(
                warehouse.url, client, entity=entity, today=today,
                start_date=settings.start_date or today - timedelta(days=FIRST_READ_DAYS),
                lookback_days=settings.lookback_days, sweep_days=settings.sweep_days,
                keep_responses=settings.keep_responses, on_progress=_teller(entity), triggered_by=_starter(context),
                **how)  # fmt: skip
        except (TransientError, BadAnswer, WarehouseFailed):
            raise
        except (B2ChatError, IngestionError) as error:
            raise dg.Failure(str(error), allow_retries=False) from None


def _starter(context: dg.AssetExecutionContext) -> str:
    return context.run.tags.get("b2chat/started_by", "dagster")


def _teller(entity: Entity) -> Callable[[Progress], None]:
    """Tells of progress: each page to a terminal's bar, and now and then a line to the run log."""
    last = 0.0

    def tell(progress: Progress) -> None:
        nonlocal last
        bar.info("", extra={"entity": entity, "progress": progress})
        now = time.monotonic()
        if progress.windows_left and now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        ration = "" if progress.ration_left is None else f"; {progress.ration_left:,} requests left today"
        log.info(
            "%s %s in %d pages, %.0f a second; %d windows left, about %s%s", f"{progress.done_records:,}", entity,
            progress.pages, progress.rate, progress.windows_left, timedelta(seconds=round(progress.seconds_left)),
            ration, extra={"has_bar": True},
        )  # fmt: skip

    return tell


def _metadata(result: SyncResult, entity: Entity, warehouse: Warehouse) -> dict[str, dg.MetadataValue]:
    with warehouse.connect() as conn:
        # The planner's estimate: an exact count would read the whole of a table that only grows.
        rows, newest = conn.execute(  # type: ignore[misc]
            sql.SQL(
                """
                select (select greatest(reltuples, 0)::bigint from pg_class where oid = {name}::regclass),
                       (select max(loaded_at) from {table} where load_id = (select max(load_id) from {table}))
                """
            ).format(name=f"raw.{entity}", table=sql.Identifier("raw", entity))
        ).fetchone()
    tally = result.tally
    values: dict[str, dg.MetadataValue] = {
        "status": dg.MetadataValue.text(result.reason or result.status),
        "source": dg.MetadataValue.text("made by the sandbox" if result.source_kind == "sandbox" else "B2Chat"),
        "records_read": dg.MetadataValue.int(tally.records),
        "new": dg.MetadataValue.int(tally.new),
        "changed": dg.MetadataValue.int(tally.changed),
        "unchanged": dg.MetadataValue.int(tally.unchanged),
        "quarantined": dg.MetadataValue.int(tally.quarantined),
        "marked_deleted": dg.MetadataValue.int(tally.deleted),
        "missing_not_marked": dg.MetadataValue.int(tally.missing),
        "pages": dg.MetadataValue.int(tally.pages),
        "windows_read": dg.MetadataValue.text(f"{result.windows_read} of {result.windows}"),
        "seconds": dg.MetadataValue.float(round(result.seconds, 2)),
        "records_per_second": dg.MetadataValue.float(round(tally.records / max(result.seconds, 0.001), 1)),
        "dagster/row_count": dg.MetadataValue.int(rows),
        "dagster/table_name": dg.MetadataValue.text(f"raw.{entity}"),
    }
    if result.ration_left is not None:
        values["requests_left_today"] = dg.MetadataValue.int(result.ration_left)
    if newest:
        values["newest_change_landed_at"] = dg.MetadataValue.timestamp(newest)
    return values


def _quarantine_check(types: list[str], warehouse: Warehouse) -> dg.AssetCheckResult:
    with warehouse.connect() as conn:
        counts = [row for row in quarantine_counts(conn) if row.entity in types]
    number, share = sum(row.count for row in counts), sum(row.share for row in counts)
    is_error = share > Settings.load().quarantine_error_share
    return dg.AssetCheckResult(
        check_name="nothing_in_quarantine",
        passed=number == 0,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        metadata={
            "records": number, "share": share,
            "by_rule": dg.MetadataValue.json({f"{row.entity}: {row.rule}": row.count for row in counts}),
        },
        description=None if not number else f"{number} records could not be read: see raw.quarantine",
    )  # fmt: skip
