"""What B2Chat exports, landed untouched: one asset an entity, one step at a time on the account."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Literal

import dagster as dg
from psycopg import sql
from pydantic import Field

from dagster_project.ingestion.errors import IngestionError, WarehouseFailed
from dagster_project.ingestion.progress import PROGRESS_LOGGER, Progress
from dagster_project.ingestion.quota import PostgresQuota
from dagster_project.ingestion.records.quarantine import quarantine_counts
from dagster_project.ingestion.records.raw_tables import kinds_of
from dagster_project.ingestion.sync import SyncResult, sync
from dagster_project.orchestration.assets.launch import config_day, starter
from dagster_project.orchestration.assets.table_metadata import rows_of
from dagster_project.orchestration.resources import B2ChatAccount, Warehouse
from dagster_project.settings import Settings
from dagster_project.sources.b2chat.entities import CHATS, CONTACTS
from dagster_project.sources.b2chat.errors import BadAnswer, TransientError, Unreachable
from dagster_project.sources.b2chat.source import B2Chat
from dagster_project.sources.b2chat_audit.entities import MESSAGES
from dagster_project.sources.b2chat_audit.source import AuditFolder
from dagster_project.sources.catalog import SOURCES
from dagster_project.sources.contract import EntitySpec, Scope, SourceError
from dagster_project.warehouse.roles import LOADER

log, bar = logging.getLogger(__name__), logging.getLogger(PROGRESS_LOGGER)

_AUDIT = dg.AssetKey(["raw", "audit_messages"])
ACCOUNT_POOL = "b2chat_account"
FIRST_READ_DAYS = 90
BACKFILL_DAYS = 7  # of one that names no days
_SECONDS_BETWEEN_LINES = 5.0
_RETRIES = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
_COMMON: dict[str, Any] = {
    "group_name": "raw",
    "owners": ["team:data"],
    "kinds": {"python", "postgres"},
}
# A source that is read by schedule is as fresh as its last sync; files that people bring are not missed.
_FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(minutes=Settings.load().freshness_minutes),
    warn_window=timedelta(minutes=Settings.load().freshness_minutes / 2),
)


class ContactsConfig(dg.Config):
    """How many contacts to read, and what to make of it."""

    mode: Literal["incremental", "full"] = Field(
        "incremental", description="incremental: those that may have changed. full: all of them."
    )
    confirm_deletions: bool = Field(
        False,
        description="Mark records as deleted although most of a day, or of what the run read, is gone: for one run, "
        "when you have seen in B2Chat that it is so. Without it the run warns, and nothing is marked.",
    )


class ChatsConfig(ContactsConfig):
    """Which chats to read, and what to make of it."""

    mode: Literal["incremental", "full", "sweep", "backfill"] = Field(  # type: ignore[assignment]
        "incremental",
        description="incremental: what may have changed. full: every day since the start date. "
        "sweep: all of the last days (B2CHAT_SWEEP_DAYS). backfill: the days from date_start to date_end.",
    )
    date_start: str = Field(
        "",
        description=f"Of a backfill: its first creation day, YYYY-MM-DD. Default: {BACKFILL_DAYS - 1} days before "
        "date_end.",
    )
    date_end: str = Field("", description="Of a backfill: its last creation day, YYYY-MM-DD. Default: today.")

    def backfilled_days(self, today: date) -> tuple[date, date] | None:
        """First and last day of a backfill; None for the other modes.

        Raises:
            dagster.Failure: they are no days, in the wrong order, in the future, or given for another mode.
        """
        given = self.date_start, self.date_end
        if self.mode != "backfill":
            if any(given):
                raise dg.Failure("date_start and date_end are for mode: backfill alone", allow_retries=False)
            return None
        last = config_day(self.date_end, "date_end") or today
        first = config_day(self.date_start, "date_start") or last - timedelta(days=BACKFILL_DAYS - 1)
        if not first <= last <= today:
            raise dg.Failure(
                f"date_start {first}, date_end {last} and today, {today}, must be in this order", allow_retries=False
            )
        return first, last


def _quarantine_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        "nothing_in_quarantine",
        asset=key,
        description="Every record that arrived could be read: warns over 0, fails over B2CHAT_QUARANTINE_ERROR_SHARE.",
    )


@dg.asset(
    key=["raw", "chats"],
    description="Chats with their messages, the newest version of each, as `/chats/export` gave them "
    "(`raw.b2chat_chats`). `mode: backfill` in the launchpad, or the job `backfill_days`, reads chosen creation days "
    "again.",
    pool=ACCOUNT_POOL,
    freshness_policy=_FRESHNESS,
    check_specs=[_quarantine_spec(dg.AssetKey(["raw", "chats"]))],
    **_COMMON,
)
def raw_chats(
    context: dg.AssetExecutionContext, config: ChatsConfig, b2chat: B2ChatAccount, warehouse: Warehouse
) -> dg.MaterializeResult:
    return _landed(context, CHATS, config, b2chat, warehouse, config.backfilled_days(Settings.load().today()))


@dg.asset(
    key=["raw", "contacts"],
    description="Contacts with tags and attributes, the newest version of each, as `/contacts/export` gave them "
    "(`raw.b2chat_contacts`).",
    pool=ACCOUNT_POOL,
    freshness_policy=_FRESHNESS,
    check_specs=[_quarantine_spec(dg.AssetKey(["raw", "contacts"]))],
    **_COMMON,
)
def raw_contacts(
    context: dg.AssetExecutionContext, config: ContactsConfig, b2chat: B2ChatAccount, warehouse: Warehouse
) -> dg.MaterializeResult:
    return _landed(context, CONTACTS, config, b2chat, warehouse)


def _landed(
    context: dg.AssetExecutionContext,
    entity: EntitySpec,
    config: ContactsConfig,
    b2chat: B2ChatAccount,
    warehouse: Warehouse,
    days: tuple[date, date] | None = None,
) -> dg.MaterializeResult:
    warehouse = warehouse.as_role(LOADER)
    result = _sync(context, entity, config, b2chat, warehouse, days)
    return dg.MaterializeResult(
        metadata=_metadata(result, entity, warehouse),
        check_results=[_quarantine_check(entity, warehouse)],
    )


@dg.asset(
    key=_AUDIT,
    description="Messages of the console's audit exports in B2CHAT_AUDIT_FOLDER: the only source of those of "
    "agent-initiated chats (`raw.b2chat_audit_messages`, a row a chat in `raw.b2chat_audit_chats`).",
    check_specs=[
        _quarantine_spec(_AUDIT),
        dg.AssetCheckSpec("every_file_could_be_read", asset=_AUDIT, description="No file in the folder was refused."),
    ],
    **_COMMON,
)
def raw_audit_messages(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    settings, warehouse = Settings.load(), warehouse.as_role(LOADER)
    if not settings.audit_folder:
        return dg.MaterializeResult(
            metadata={"folder": "none: B2CHAT_AUDIT_FOLDER is not set"},
            check_results=[_quarantine_check(MESSAGES, warehouse), _files_check([], [])],
        )
    with _tried_again(context), AuditFolder(settings.audit_folder) as source:
        try:
            result = sync(
                warehouse.url,
                source,
                MESSAGES,
                Scope("incremental", settings.today()),
                triggered_by=starter(context.run),
            )
        except WarehouseFailed:
            raise
        except (SourceError, IngestionError) as error:
            raise dg.Failure(str(error), allow_retries=False) from None
    counts = result.counts
    return dg.MaterializeResult(
        metadata={
            "folder": str(settings.audit_folder),
            "new_files": result.windows_read,
            "known_files": source.known_files,
            "rows": counts.records,
            "new": counts.new,
            "duplicates": counts.unchanged,
            "quarantined": counts.quarantined,
        },
        check_results=[
            _quarantine_check(MESSAGES, warehouse),
            _files_check(result.windows_unreadable, source.notes),
        ],
    )


def _files_check(unreadable: list[str], notes: list[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name="every_file_could_be_read",
        passed=not unreadable,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join([*unreadable, *notes]) or None,
    )


def _sync(
    context: dg.AssetExecutionContext,
    entity: EntitySpec,
    config: ContactsConfig,
    b2chat: B2ChatAccount,
    warehouse: Warehouse,
    days: tuple[date, date] | None,
) -> SyncResult:
    settings = Settings.load()
    with (
        _tried_again(context),
        PostgresQuota(warehouse.url, entity.source, b2chat.client_id, b2chat.requests_per_day, settings.today) as quota,
        b2chat.client(quota) as client,
    ):
        today = settings.today()
        try:
            return sync(
                warehouse.url,
                B2Chat(client),
                entity,
                Scope(
                    config.mode,
                    today,
                    start_date=settings.start_date or today - timedelta(days=FIRST_READ_DAYS),
                    lookback_days=settings.lookback_days,
                    sweep_days=settings.sweep_days,
                    day_from=days[0] if days else None,
                    day_to=days[1] if days else None,
                ),
                confirm_deletions=config.confirm_deletions,
                keep_responses=settings.keep_responses,
                on_progress=_progress_log(entity.name),
                triggered_by=starter(context.run),
            )
        except Unreachable as error:  # the client has tried; waiting for minutes would only hide a wrong address
            raise dg.Failure(str(error), allow_retries=False) from None
        except (TransientError, BadAnswer, WarehouseFailed):
            raise
        except (SourceError, IngestionError) as error:
            raise dg.Failure(str(error), allow_retries=False) from None


@contextmanager
def _tried_again(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Let a step that fails be tried again, unless its failure says that this cannot help.

    A retry policy on the asset would also try again what Ctrl-C, SIGTERM or the UI has stopped.
    """
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        wait = _RETRIES.calculate_delay(context.retry_number + 1)
        raise dg.RetryRequested(_RETRIES.max_retries, wait) from error


def _progress_log(entity: str) -> Callable[[Progress], None]:
    """Reports progress: each page to a terminal's bar, and now and then a line to the run log."""
    last = 0.0

    def report(progress: Progress) -> None:
        nonlocal last
        bar.info("", extra={"entity": entity, "progress": progress})
        now = time.monotonic()
        if progress.windows_left and now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        quota = "" if progress.quota_left is None else f"; {progress.quota_left:,} requests left today"
        log.info(
            "%s %s in %d pages, %.0f a second; %d windows left, about %s%s",
            f"{progress.done_records:,}",
            entity,
            progress.pages,
            progress.rate,
            progress.windows_left,
            timedelta(seconds=round(progress.seconds_left)),
            quota,
            extra={"has_bar": True},
        )

    return report


def _metadata(result: SyncResult, entity: EntitySpec, warehouse: Warehouse) -> dict[str, dg.MetadataValue]:
    with warehouse.connect() as conn:
        conn.autocommit = True
        rows = rows_of(conn, "raw", entity.table)
        (newest,) = conn.execute(  # type: ignore[misc]
            sql.SQL("select max(loaded_at) from {table} where load_id = (select max(load_id) from {table})").format(
                table=sql.Identifier("raw", entity.table)
            )
        ).fetchone()
    counts = result.counts
    values: dict[str, dg.MetadataValue] = {
        "status": dg.MetadataValue.text(result.reason or result.status),
        "source": dg.MetadataValue.text("made by the sandbox" if result.source_kind == "sandbox" else "B2Chat"),
        "records_read": dg.MetadataValue.int(counts.records),
        "new": dg.MetadataValue.int(counts.new),
        "changed": dg.MetadataValue.int(counts.changed),
        "unchanged": dg.MetadataValue.int(counts.unchanged),
        "quarantined": dg.MetadataValue.int(counts.quarantined),
        "marked_deleted": dg.MetadataValue.int(counts.deleted),
        "missing_not_marked": dg.MetadataValue.int(counts.missing),
        "pages": dg.MetadataValue.int(counts.pages),
        "windows_read": dg.MetadataValue.text(f"{result.windows_read} of {result.windows}"),
        "seconds": dg.MetadataValue.float(round(result.seconds, 2)),
        "records_per_second": dg.MetadataValue.float(round(counts.records / max(result.seconds, 0.001), 1)),
        "dagster/table_name": dg.MetadataValue.text(f"raw.{entity.table}"),
    } | rows
    if result.quota_left is not None:
        values["requests_left_today"] = dg.MetadataValue.int(result.quota_left)
    if newest:
        values["newest_change_landed_at"] = dg.MetadataValue.timestamp(newest)
    return values


def _quarantine_check(entity: EntitySpec, warehouse: Warehouse) -> dg.AssetCheckResult:
    with warehouse.connect() as conn:
        counts = [
            row
            for row in quarantine_counts(conn, SOURCES)
            if row.source == entity.source and row.entity in kinds_of(entity)
        ]
    number, share = sum(row.count for row in counts), sum(row.share for row in counts)
    is_error = share > warehouse.settings().quarantine_error_share
    return dg.AssetCheckResult(
        check_name="nothing_in_quarantine",
        passed=number == 0,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        metadata={
            "records": number,
            "share": share,
            "by_rule": dg.MetadataValue.json({f"{row.entity}: {row.rule}": row.count for row in counts}),
        },
        description=None if not number else f"{number} records could not be read: see raw.quarantine",
    )
