"""What the databases of rooms and calls hold, landed untouched: an asset a table, one step a source."""

from collections.abc import Iterator
from typing import Any, Literal

import dagster as dg
from pydantic import Field

from dagster_project.erasure import after_restore
from dagster_project.exports.stores.configured import store_of
from dagster_project.ingestion.errors import IngestionError, WarehouseFailed
from dagster_project.ingestion.status import HELD_BACK_SECONDS
from dagster_project.ingestion.sync import SyncResult, sync_source
from dagster_project.orchestration import places
from dagster_project.orchestration.assets.launch import starter
from dagster_project.orchestration.assets.syncing import (
    COMMON,
    FRESHNESS,
    progress_log,
    quarantine_check,
    quarantine_spec,
    tried_again,
)
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from dagster_project.sources.calls.entities import CALLS
from dagster_project.sources.contract import EntitySpec, Scope, SourceError, SourceSpec
from dagster_project.sources.rooms.entities import MESSAGES, ROOMS
from dagster_project.warehouse.access.roles import LOADER

_HELD_BACK = "nothing_holds_the_reading_back"


class DatabaseConfig(dg.Config):
    """How much of a database to read."""

    mode: Literal["incremental", "full", "sweep"] = Field(
        "incremental",
        description="incremental: rows that are new. full: all rows. sweep: those that are new and, where they are "
        "known by updated_at, days of which other rows have landed; of calls, what is not there any more.",
    )
    confirm_deletions: bool = Field(
        False,
        description="Mark as deleted what is gone, even if it is most of a month: only if you know that it is so.",
    )


def _assets_of(spec: SourceSpec, main: EntitySpec, what: str) -> Any:
    """The step that reads a source.

    Args:
        main: the entity whose asset carries the checks of all of them.
        what: what it holds, in words.
    """
    keys = {entity: dg.AssetKey(["raw", entity.table]) for entity in spec.entities}
    held_back = dg.AssetCheckSpec(
        _HELD_BACK,
        asset=keys[main],
        description="No transaction of the source was open for longer than 15 minutes: rows that were written since it "
        "began wait for it. The process is named in the metadata.",
    )

    @dg.multi_asset(
        name=f"raw_{spec.name}",
        description=f"Reads {what}: rows that are new since the last time, table by table.",
        specs=[
            dg.AssetSpec(
                key,
                description=f"Rows of `{spec.name}.{entity.name}`, each as it was read last (`raw.{entity.table}`).",
                freshness_policy=FRESHNESS,
                owners=COMMON["owners"],
                kinds=COMMON["kinds"],
                group_name=COMMON["group_name"],
            )
            for entity, key in keys.items()
        ],
        check_specs=[quarantine_spec(keys[main]), held_back],
        pool=f"{spec.name}_database",
    )
    def step(
        context: dg.AssetExecutionContext, config: DatabaseConfig, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult]:
        settings, loader = Settings.load(), warehouse.as_role(LOADER)
        results: dict[EntitySpec, list[SyncResult]] | None = None
        reports = {entity: progress_log(entity.name) for entity in spec.entities}
        with tried_again(context):
            try:
                with places.opened(settings, spec, warehouse.url) as source:
                    if source:
                        _forget_again(settings, spec, warehouse.url, starter(context.run))
                        results = sync_source(
                            loader.url,
                            source,
                            Scope(config.mode, settings.today()),
                            on_progress=lambda entity, progress: reports[entity](progress),
                            confirm_deletions=config.confirm_deletions,
                            triggered_by=starter(context.run),
                        )
            except WarehouseFailed:
                raise
            except (SourceError, IngestionError) as error:
                raise dg.Failure(str(error), allow_retries=False) from None
        checks = [quarantine_check(spec.entities, loader), _held_back_check(spec, loader)]
        for entity, key in keys.items():
            yield dg.MaterializeResult(
                key,
                metadata=_metadata(spec, entity, results),
                check_results=checks if entity == main else [],
            )

    return step


def _forget_again(settings: Settings, spec: SourceSpec, url: str, by: str) -> None:
    """Who was erased may be there again by a backup of the source's database: nothing of them would land, but they
    would be known there."""
    home = places.home_of(settings, spec.name, url)
    if home and spec is ROOMS:
        after_restore.forget_in_rooms(url, home, settings, store_of(settings), by)


def _metadata(
    spec: SourceSpec, entity: EntitySpec, results: dict[EntitySpec, list[SyncResult]] | None
) -> dict[str, Any]:
    if results is None:
        return {"status": f"off: {spec.name.upper()}_DATABASE_URL is not set"}
    counts = [result.counts for result in results[entity]]
    metadata: dict[str, Any] = {
        "status": "read" if counts else "nothing new",
        "dagster/table_name": f"raw.{entity.table}",
    }
    if not counts:
        return metadata
    names = ("records", "new", "changed", "unchanged", "quarantined", "deleted", "suppressed", "pages")
    return metadata | {name: sum(getattr(count, name) for count in counts) for name in names}


def _held_back_check(spec: SourceSpec, warehouse: Warehouse) -> dg.AssetCheckResult:
    with warehouse.connect() as conn:
        row = conn.execute(
            "select ceiling_age_seconds, ceiling_holder_pid from ops.sync_states "
            "where source = %s and ceiling_age_seconds is not null order by 1 desc limit 1",
            [spec.name],
        ).fetchone()
    seconds, pid = row or (0, None)
    return dg.AssetCheckResult(
        check_name=_HELD_BACK,
        passed=seconds <= HELD_BACK_SECONDS,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"ceiling_age_seconds": seconds, "pid": str(pid or "none")},
        description=None
        if seconds <= HELD_BACK_SECONDS
        else f"a transaction of process {pid} at the source is open for {seconds} seconds: end it, or wait",
    )


raw_rooms = _assets_of(ROOMS, MESSAGES, "chat rooms")
raw_calls = _assets_of(CALLS, CALLS.entity("call_logs"), "calls of the website's widget")
