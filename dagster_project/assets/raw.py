"""What B2Chat exports, landed untouched: one asset an entity, one step at a time on the account."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import dagster as dg
from psycopg import sql

from dagster_project.b2chat.errors import B2ChatError, BadAnswer, TransientError
from dagster_project.b2chat.records import Entity
from dagster_project.ingestion.errors import IngestionError, WarehouseFailed
from dagster_project.ingestion.ration import PostgresRation
from dagster_project.ingestion.sync import Progress, SyncResult, sync
from dagster_project.resources import B2ChatAccount, Warehouse

log = logging.getLogger(__name__)

ACCOUNT_POOL = "b2chat_account"
FIRST_READ_DAYS = 90
_SECONDS_BETWEEN_LINES = 5.0


class SyncConfig(dg.Config):
    """How much to read: `incremental` what may have changed, `full` every day since the start date."""

    mode: Literal["incremental", "full"] = "incremental"


def _raw_asset(entity: Entity, description: str) -> dg.AssetsDefinition:
    key = dg.AssetKey(["raw", entity])

    @dg.asset(
        key=key,
        group_name="raw",
        owners=["team:data"],
        kinds={"python", "postgres", "json"},
        description=description,
        pool=ACCOUNT_POOL,
        retry_policy=dg.RetryPolicy(
            max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
        ),
        check_specs=[
            dg.AssetCheckSpec(
                "nothing_in_quarantine", asset=key, description="Every record that arrived could be read."
            )
        ],
    )
    def landed(
        context: dg.AssetExecutionContext,
        config: SyncConfig,
        b2chat: B2ChatAccount,
        warehouse: Warehouse,
    ) -> dg.MaterializeResult:
        result = _sync(context, entity, config, b2chat, warehouse)
        return dg.MaterializeResult(
            metadata=_metadata(result, entity, warehouse), check_results=[_quarantine_check(entity, warehouse)]
        )

    return landed


raw_chats = _raw_asset(
    "chats", "Chats with their messages, the newest version of each, as `/chats/export` gave them (`raw.chats`)."
)
raw_contacts = _raw_asset(
    "contacts",
    "Contacts with tags and attributes, the newest version of each, as `/contacts/export` gave them (`raw.contacts`).",
)


def _sync(
    context: dg.AssetExecutionContext,
    entity: Entity,
    config: SyncConfig,
    b2chat: B2ChatAccount,
    warehouse: Warehouse,
) -> SyncResult:
    with (
        PostgresRation(warehouse.url, b2chat.client_id, b2chat.requests_per_day, b2chat.today) as ration,
        b2chat.client(ration) as client,
    ):
        today = b2chat.today()
        try:
            return sync(
                warehouse.url,
                client,
                entity=entity,
                mode=config.mode,
                today=today,
                start_date=b2chat.first_day() or today - timedelta(days=FIRST_READ_DAYS),
                lookback_days=b2chat.lookback_days,
                on_progress=_teller(entity),
                triggered_by=context.run.tags.get("b2chat/started_by", "dagster"),
            )
        except (TransientError, BadAnswer, WarehouseFailed):
            raise
        except (B2ChatError, IngestionError) as error:
            raise dg.Failure(str(error), allow_retries=False) from None


def _teller(entity: Entity) -> Callable[[Progress], None]:
    """Tells of progress now and then: records, rate, days left and time left."""
    began = last = time.monotonic()
    windows = 0

    def tell(progress: Progress) -> None:
        nonlocal last, windows
        windows = max(windows, progress.windows_left + 1)
        now = time.monotonic()
        if progress.windows_left and now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        done = windows - progress.windows_left
        left = timedelta(seconds=round((now - began) / max(done, 1) * progress.windows_left))
        log.info(
            "%s %s in %d pages, %.0f a second; %d windows left, about %s",
            f"{progress.done_records:,}",
            entity,
            progress.pages,
            progress.rate,
            progress.windows_left,
            left,
        )

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
        "pages": dg.MetadataValue.int(tally.pages),
        "windows_read": dg.MetadataValue.text(f"{result.windows_read} of {result.windows}"),
        "seconds": dg.MetadataValue.float(round(result.seconds, 2)),
        "dagster/row_count": dg.MetadataValue.int(rows),
        "dagster/table_name": dg.MetadataValue.text(f"raw.{entity}"),
    }
    if newest:
        values["newest_change_landed_at"] = dg.MetadataValue.timestamp(newest)
    return values


def _quarantine_check(entity: Entity, warehouse: Warehouse) -> dg.AssetCheckResult:
    types = ["chats", "message"] if entity == "chats" else ["contacts"]
    with warehouse.connect() as conn:
        rules = conn.execute(
            "select rule, count(*) from raw.quarantine where entity_type = any(%s) and resolved_at is null "
            "group by rule order by 2 desc",
            [types],
        ).fetchall()
    count = sum(number for _, number in rules)
    return dg.AssetCheckResult(
        check_name="nothing_in_quarantine",
        passed=count == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"records": count, "by_rule": dg.MetadataValue.json(dict(rules))},
        description=None if not count else f"{count} records could not be read: see raw.quarantine",
    )
