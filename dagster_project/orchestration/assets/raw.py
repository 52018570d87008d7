"""What B2Chat exports, landed untouched: one asset an entity, one step at a time on the account."""

from datetime import date, timedelta
from typing import Literal

import dagster as dg
from psycopg import sql
from pydantic import Field

from dagster_project.ingestion.errors import IngestionError, WarehouseFailed
from dagster_project.ingestion.quota import PostgresQuota
from dagster_project.ingestion.sync import SyncResult, sync
from dagster_project.orchestration.assets.launch import config_day, starter
from dagster_project.orchestration.assets.syncing import (
    COMMON,
    FRESHNESS,
    progress_log,
    quarantine_check,
    quarantine_spec,
    tried_again,
)
from dagster_project.orchestration.resources import B2ChatAccount, Warehouse
from dagster_project.orchestration.ui.table_metadata import rows_of
from dagster_project.settings import Settings
from dagster_project.sources.b2chat.entities import CHATS, CONTACTS
from dagster_project.sources.b2chat.errors import BadAnswer, TransientError, Unreachable
from dagster_project.sources.b2chat.source import B2Chat
from dagster_project.sources.b2chat_audit.entities import MESSAGES
from dagster_project.sources.b2chat_audit.source import AuditFolder
from dagster_project.sources.contract import EntitySpec, Scope, SourceError
from dagster_project.warehouse.access.roles import LOADER

_AUDIT = dg.AssetKey(["raw", "audit_messages"])
ACCOUNT_POOL = "b2chat_account"
FIRST_READ_DAYS = 90
BACKFILL_DAYS = 7  # of one that names no days


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

    def scope(self, settings: Settings) -> Scope:
        """What a sync reads, by this config and the settings. Raises dagster.Failure, as `backfilled_days`."""
        today = settings.today()
        first, last = self.backfilled_days(today) or (None, None)
        return Scope(
            self.mode,
            today,
            start_date=settings.start_date or today - timedelta(days=FIRST_READ_DAYS),
            lookback_days=settings.lookback_days,
            sweep_days=settings.sweep_days,
            day_from=first,
            day_to=last,
        )

    def backfilled_days(self, today: date) -> tuple[date, date] | None:
        """First and last day of a backfill: contacts are not read by days."""
        return None


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


@dg.asset(
    key=["raw", "chats"],
    description="Chats with their messages, the newest version of each, as `/chats/export` gave them "
    "(`raw.b2chat_chats`). `mode: backfill` in the launchpad, or the job `backfill_days`, reads chosen creation days "
    "again.",
    pool=ACCOUNT_POOL,
    freshness_policy=FRESHNESS,
    check_specs=[quarantine_spec(dg.AssetKey(["raw", "chats"]))],
    **COMMON,
)
def raw_chats(
    context: dg.AssetExecutionContext, config: ChatsConfig, b2chat: B2ChatAccount, warehouse: Warehouse
) -> dg.MaterializeResult:
    return _landed(context, CHATS, config, b2chat, warehouse)


@dg.asset(
    key=["raw", "contacts"],
    description="Contacts with tags and attributes, the newest version of each, as `/contacts/export` gave them "
    "(`raw.b2chat_contacts`).",
    pool=ACCOUNT_POOL,
    freshness_policy=FRESHNESS,
    check_specs=[quarantine_spec(dg.AssetKey(["raw", "contacts"]))],
    **COMMON,
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
) -> dg.MaterializeResult:
    settings, warehouse = Settings.load(), warehouse.as_role(LOADER)
    scope = config.scope(settings)
    with (
        tried_again(context),
        PostgresQuota(warehouse.url, entity.source, b2chat.client_id, b2chat.requests_per_day, settings.today) as quota,
        b2chat.client(quota) as client,
    ):
        try:
            result = sync(
                warehouse.url,
                B2Chat(client),
                entity,
                scope,
                confirm_deletions=config.confirm_deletions,
                keep_responses=settings.keep_responses,
                on_progress=progress_log(entity.name),
                triggered_by=starter(context.run),
            )
        except Unreachable as error:  # the client has tried; waiting for minutes would only hide a wrong address
            raise dg.Failure(str(error), allow_retries=False) from None
        except (TransientError, BadAnswer, WarehouseFailed):
            raise
        except (SourceError, IngestionError) as error:
            raise dg.Failure(str(error), allow_retries=False) from None
    return dg.MaterializeResult(
        metadata=_metadata(result, entity, warehouse),
        check_results=[quarantine_check([entity], warehouse)],
    )


@dg.asset(
    key=_AUDIT,
    description="Messages of the console's audit exports in B2CHAT_AUDIT_FOLDER: the only source of those of "
    "agent-initiated chats (`raw.b2chat_audit_messages`, a row a chat in `raw.b2chat_audit_chats`).",
    check_specs=[
        quarantine_spec(_AUDIT),
        dg.AssetCheckSpec("every_file_could_be_read", asset=_AUDIT, description="No file in the folder was refused."),
    ],
    **COMMON,
)
def raw_audit_messages(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    settings, warehouse = Settings.load(), warehouse.as_role(LOADER)
    if not settings.audit_folder:
        return dg.MaterializeResult(
            metadata={"folder": "none: B2CHAT_AUDIT_FOLDER is not set"},
            check_results=[quarantine_check([MESSAGES], warehouse), _files_check([], [])],
        )
    with tried_again(context), AuditFolder(settings.audit_folder) as source:
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
            quarantine_check([MESSAGES], warehouse),
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
