"""Brings an entity, or all those of a source, up to date; `sync_run.py` does the reading."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Unpack

import psycopg

from dagster_project.ingestion.checkpoints import open_windows
from dagster_project.ingestion.errors import WarehouseFailed
from dagster_project.ingestion.history import SyncHistory
from dagster_project.ingestion.logs import sync_log
from dagster_project.ingestion.origin import require_origin
from dagster_project.ingestion.progress import Progress
from dagster_project.ingestion.single_writer import require_starter, writer
from dagster_project.ingestion.sync_result import SyncResult
from dagster_project.ingestion.sync_run import How, Run
from dagster_project.sources.contract import EntitySpec, Plan, Scope, Source, Watermark

__all__ = ["Progress", "SyncResult", "sync", "sync_source"]

log = logging.getLogger(__name__)


def sync(url: str, source: Source, entity: EntitySpec, scope: Scope, **how: Unpack[How]) -> SyncResult:
    """Bring an entity up to date with its source. A sync that was killed is resumed by the next one of its mode.

    Args:
        url: of the warehouse.

    Raises:
        StarterRefused: whoever started it may not.
        AlreadyRunning: another sync holds the warehouse.
        SourceMismatch: the warehouse belongs to another kind of source.
        WarehouseFailed: Postgres failed.
        SourceError: the source failed; pages landed before that stay.
    """
    with writer(url, f"sync {entity.name} ({how['triggered_by']})") as conn:
        _begin(conn, how["triggered_by"])
        return _sync_on(conn, url, source, entity, scope, **how)


def sync_source(
    url: str,
    source: Source,
    scope: Scope,
    *,
    on_progress: Callable[[EntitySpec, Progress], None] = lambda entity, progress: None,
    confirm_deletions: bool = False,
    triggered_by: str,
) -> dict[EntitySpec, list[SyncResult]]:
    """Bring a source up to date that tells at once which of its entities hold anything new, in the order it names them.

    Args:
        confirm_deletions, triggered_by: as of `How`.

    Returns:
        what the syncs of each entity came to: none where it held nothing new or is not there, two where one that was
        interrupted had to be brought to its end first.

    Raises:
        StarterRefused, AlreadyRunning, SourceMismatch, WarehouseFailed, SourceError: as `sync`; entities that were read
            before stay read.
    """
    results: dict[EntitySpec, list[SyncResult]] = {entity: [] for entity in source.spec.entities}
    with writer(url, f"sync {source.spec.name} ({triggered_by})") as conn:
        _begin(conn, triggered_by)
        require_origin(conn, source.spec, source.origin())

        started_at, unchanged = datetime.now(UTC), dict[EntitySpec, Watermark]()
        for entity in source.spec.entities:
            interrupted = open_windows(conn, entity, None)
            todo = source.plan(entity, scope, SyncHistory(conn, entity, interrupted, None))
            if todo.watermark and not todo.windows:
                unchanged[entity] = todo.watermark
            # What was interrupted is brought to its end first, as far as it would have come then.
            for planned in ([todo] + [None] * bool(interrupted)) if todo.windows else []:
                results[entity].append(
                    _sync_on(
                        conn,
                        url,
                        source,
                        entity,
                        scope,
                        planned,
                        keep_responses=False,
                        confirm_deletions=confirm_deletions,
                        on_progress=partial(on_progress, entity),
                        triggered_by=triggered_by,
                    )
                )
        sync_log.nothing_new(conn, unchanged, triggered_by, started_at)
    log.info("%s: %d of %d entities held nothing new", source.spec.name, len(unchanged), len(results))
    return results


def _begin(conn: psycopg.Connection, triggered_by: str) -> None:
    """What comes before the first sync of a writer. Raises StarterRefused."""
    require_starter(conn, triggered_by, "start a sync")
    if sync_log.close_unfinished(conn):
        log.info("An earlier sync did not finish; this one resumes it")


def _sync_on(
    conn: psycopg.Connection,
    url: str,
    source: Source,
    entity: EntitySpec,
    scope: Scope,
    todo: Plan | None = None,
    **how: Unpack[How],
) -> SyncResult:
    """Sync an entity on the connection of the only writer, after `_begin`.

    Args:
        url: by which a failure is written down where that connection is what failed.
        todo: what is to be read, where that has been planned already.
    """
    started_at = datetime.now(UTC)
    since = None if scope.mode == "incremental" else sync_log.resumed_since(conn, entity, scope)
    if since:
        log.info("It goes on with what was begun at %s; days read since then are not read again", since)
    asked = {
        name: value if isinstance(value, int | str) else str(value)
        for name, value in asdict(scope).items()
        if value is not None
    }
    sync_id = sync_log.open_log(
        conn, entity, scope.mode, how["triggered_by"], started_at, asked | {"reads_since": str(since or started_at)}
    )
    run = Run(conn, source, entity, scope, sync_id, started_at, how)
    try:
        return run.to_the_end(since, todo)
    except BaseException as error:
        failure = WarehouseFailed(error) if isinstance(error, psycopg.Error) else error
        run.note_failure(url, failure.with_traceback(error.__traceback__))
        if failure is error:
            raise
        raise failure from None
