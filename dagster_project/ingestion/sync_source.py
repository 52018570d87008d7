"""One sync of all entities of a source that tells at once which of them hold anything new."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from dagster_project.ingestion.checkpoints import open_windows
from dagster_project.ingestion.history import SyncHistory
from dagster_project.ingestion.logs import sync_log
from dagster_project.ingestion.origin import require_origin
from dagster_project.ingestion.progress import Progress
from dagster_project.ingestion.single_writer import writer
from dagster_project.ingestion.sync import SyncResult, begin, sync_on
from dagster_project.sources.contract import EntitySpec, Scope, Source, Watermark

log = logging.getLogger(__name__)


def sync_source(
    url: str,
    source: Source,
    scope: Scope,
    *,
    on_progress: Callable[[EntitySpec, Progress], None] = lambda entity, progress: None,
    confirm_deletions: bool = False,
    triggered_by: str,
) -> dict[EntitySpec, list[SyncResult]]:
    """Bring all entities of a source up to date, in the order in which it names them.

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
        begin(conn, triggered_by)
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
                    sync_on(
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
