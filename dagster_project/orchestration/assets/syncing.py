"""What the assets of all sources share: retries, progress, the check of the quarantine."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import dagster as dg

from dagster_project.ingestion.progress import PROGRESS_LOGGER, Progress
from dagster_project.ingestion.records.quarantine import quarantine_counts
from dagster_project.ingestion.records.raw_tables import kinds_of
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from dagster_project.sources.catalog import SOURCES
from dagster_project.sources.contract import EntitySpec

log, bar = logging.getLogger(__name__), logging.getLogger(PROGRESS_LOGGER)

_SECONDS_BETWEEN_LINES = 5.0
_RETRIES = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
COMMON: dict[str, Any] = {
    "group_name": "raw",
    "owners": ["team:data"],
    "kinds": {"python", "postgres"},
}
# A source that is read by schedule is as fresh as its last sync; files that people bring are not missed.
_OLD = timedelta(minutes=Settings.load().freshness_minutes)
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=_OLD, warn_window=_OLD / 2)


def quarantine_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check of what could not be read."""
    return dg.AssetCheckSpec(
        "nothing_in_quarantine",
        asset=key,
        description="Every record that arrived could be read: warns over 0, fails over B2CHAT_QUARANTINE_ERROR_SHARE.",
    )


@contextmanager
def tried_again(context: dg.AssetExecutionContext) -> Iterator[None]:
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


def progress_log(entity: str) -> Callable[[Progress], None]:
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


def quarantine_check(entities: Sequence[EntitySpec], warehouse: Warehouse) -> dg.AssetCheckResult:
    """What is in quarantine of some entities."""
    kinds = {(entity.source, kind) for entity in entities for kind in kinds_of(entity)}
    with warehouse.connect() as conn:
        counts = [row for row in quarantine_counts(conn, SOURCES) if (row.source, row.entity) in kinds]
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
