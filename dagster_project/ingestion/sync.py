"""One sync: plan the windows, read them page by page, land each page, keep the books; one page is read ahead."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Literal

import psycopg

from dagster_project.ingestion import checkpoints, deletions, error_log, sync_log
from dagster_project.ingestion.checkpoints import OpenWindow, open_windows
from dagster_project.ingestion.deletions import Missing
from dagster_project.ingestion.error_log import note_warning, safe_reason
from dagster_project.ingestion.errors import WarehouseFailed
from dagster_project.ingestion.landing import PageResult, keys_of, land_page
from dagster_project.ingestion.plan import SWEEP_EVERY, Mode, Plan, Scope, plan
from dagster_project.ingestion.prefetch import one_ahead
from dagster_project.ingestion.progress import Progress, progress
from dagster_project.ingestion.response_log import keep_response
from dagster_project.ingestion.single_writer import writer
from dagster_project.ingestion.source import require_source
from dagster_project.ingestion.sync_log import Tally
from dagster_project.sources.b2chat.client import B2ChatClient, Source
from dagster_project.sources.b2chat.errors import RationExhausted
from dagster_project.sources.b2chat.records import Entity
from dagster_project.sources.b2chat.windows import Window, WindowPage, read_window
from dagster_project.warehouse.connection import connect

__all__ = ["Progress", "SyncResult", "sync"]

log = logging.getLogger(__name__)

_LARGE_ANSWER = 16 * 2**20  # bytes; a thousand chats with twenty messages each have 5 MiB


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How a sync has ended.

    Attributes:
        status: "partial" when the ration ran out, or a window did not add up.
        reason: why it is partial; None for a success.
        source_kind: who answered, "b2chat" or "sandbox"; None when the ration was gone before anyone could.
        windows_read: windows read whole, of `windows`.
        windows_incomplete: windows whose records did not add up to the total that B2Chat named.
        old_days_waiting: older days with unfinished chats, left to later syncs.
        tally: pages and records, by what became of them.
        seconds: how long it took.
        ration_left: requests left of the day; None when there is no limit or it is not known.
    """

    sync_id: str
    entity: Entity
    status: Literal["success", "partial"]
    reason: str | None
    source_kind: str | None
    windows: int
    windows_read: int
    windows_incomplete: list[str]
    old_days_waiting: int
    tally: Tally
    seconds: float
    ration_left: int | None


def sync(
    url: str,
    client: B2ChatClient,
    *,
    entity: Entity,
    start_date: date,
    today: date,
    lookback_days: int = 3,
    sweep_days: int = 30,
    mode: Mode = "incremental",
    day_from: date | None = None,
    day_to: date | None = None,
    keep_responses: bool = True,
    confirm_deletions: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    triggered_by: str,
) -> SyncResult:
    """Bring the warehouse up to date with B2Chat. A sync that was killed is taken up by the next one of its mode.

    Args:
        url: of the warehouse.
        start_date: the first creation day to read; contacts are read whatever their day.
        today: the current day in the account's zone; it is read but never counts as read whole.
        lookback_days, sweep_days, mode, day_from, day_to: what to read, see `Scope`.
        keep_responses: keep each whole answer in ops.api_response_logs.
        confirm_deletions: believe it that most of a window is gone; see `deletion.is_suspicious`.
        on_progress: called after each page has been committed.
        triggered_by: who or what started it (ops.sync_logs.user_id).

    Raises:
        ValueError: the days do not fit together, or not to the mode.
        AlreadyRunning: another sync holds the warehouse.
        SourceMismatch: the warehouse belongs to another kind of source.
        WarehouseFailed: Postgres failed.
        B2ChatError: B2Chat failed; pages landed before that stay.
    """
    scope = Scope(mode, start_date, today, lookback_days, sweep_days, day_from, day_to)
    with writer(url, f"sync {entity} ({triggered_by})") as conn:
        if sync_log.close_unfinished(conn):
            log.info("An earlier sync did not finish; this one takes it up")
        started_at = datetime.now(UTC)
        since = None if mode == "incremental" else sync_log.taken_up_since(conn, entity, mode, day_from, day_to)
        if since:
            log.info("It goes on with what was begun at %s; days read since then are not read again", since)
        asked = {
            name: value if isinstance(value, int | str) else str(value)
            for name, value in asdict(scope).items()
            if value is not None
        }
        sync_id = sync_log.open_log(
            conn, entity, mode, triggered_by, started_at, asked | {"reads_since": str(since or started_at)}
        )
        run = _Run(conn, client, entity, scope, sync_id, started_at, keep_responses, confirm_deletions, on_progress)
        try:
            return run.to_the_end(since)
        except BaseException as error:
            failure = WarehouseFailed(error) if isinstance(error, psycopg.Error) else error
            run.note_failure(url, failure.with_traceback(error.__traceback__))
            if failure is error:
                raise
            raise failure from None


@dataclass(slots=True)
class _Run:
    """One sync under way."""

    conn: psycopg.Connection
    client: B2ChatClient
    entity: Entity
    scope: Scope
    sync_id: str
    started_at: datetime
    keep_responses: bool
    confirm_deletions: bool
    on_progress: Callable[[Progress], None] | None
    source: Source | None = None
    tally: Tally = field(default_factory=Tally)
    read: int = 0
    incomplete: list[str] = field(default_factory=list)
    missing: dict[Window, Missing] = field(default_factory=dict)
    checkpoint_id: str | None = None

    def to_the_end(self, since: datetime | None) -> SyncResult:
        todo, out_of_ration = Plan([]), None
        try:
            self.source = self.client.source()
            require_source(self.conn, self.source)
            under_way = open_windows(self.conn, self.entity, self._taken_up_from(since))
            todo = plan(self.conn, self.entity, self.scope, under_way, since)
            self._announce(todo)
            self._read_all(todo, under_way)
            self._look_again(todo)
        except RationExhausted as error:
            out_of_ration = str(error)
        return self._close(todo, out_of_ration)

    def _taken_up_from(self, since: datetime | None) -> datetime | None:
        """From when on a broken-off window is gone on with: what was asked for anew is read anew."""
        if self.entity == "contacts":  # their plan counts the day on which the reading began
            return None
        return self.started_at - SWEEP_EVERY if self.scope.mode == "incremental" else since or self.started_at

    def _announce(self, todo: Plan) -> None:
        assert self.source is not None
        log.info("Sync of %s from %s: %d windows to read", self.entity, self.source.kind, len(todo.windows))
        sync_log.note(
            self.conn,
            self.sync_id,
            source=self.source.kind,
            windows=len(todo.windows),
            old_days_waiting=todo.old_days_waiting,
            **({"reads_up_to": str(todo.reads_up_to)} if todo.reads_up_to else {}),
        )

    def _read_all(self, todo: Plan, under_way: Mapping[str, OpenWindow], *, again: bool = False) -> None:
        number = 0
        with closing(one_ahead(self._pages(todo, under_way), alone=_is_large)) as pages:
            for page in pages:
                self._land(
                    page,
                    _day_read(page, todo, number, self.scope.today, self.incomplete),
                    again=again,
                    ends=again and page.last and number == len(todo.windows) - 1,
                )
                self._tell(page, number, len(todo.windows))
                number += page.last
                del page  # two large pages must not meet in memory

    def _look_again(self, todo: Plan) -> None:
        """Read once more what lacks known records; with its last page, what is missing then too is marked."""
        if self.missing:
            log.info(
                "%s: known records were not returned; reading their %d windows once more to be sure",
                self.entity,
                len(self.missing),
            )
            self._read_all(replace(todo, windows=list(self.missing)), {}, again=True)

    def _pages(self, todo: Plan, under_way: Mapping[str, OpenWindow]) -> Iterator[WindowPage]:
        """The pages of all windows. It runs in another thread than the rest."""
        for window in todo.windows:
            broken_off = under_way.get(str(window))
            yield from read_window(
                window, partial(self.client.page, window), after=broken_off.landmark if broken_off else None
            )

    def _land(self, page: WindowPage, day_read: date | None, *, again: bool, ends: bool) -> None:
        tally = replace(self.tally)
        with self.conn.transaction():
            result = land_page(self.conn, page, self.sync_id)
            tally.add(page, result)
            self._note_missing(page, result, again)
            if ends:
                self._settle(tally, result.load_id)
            next_offset = page.page.offset + page.received
            sync_log.page_landed(self.conn, self.sync_id, self.entity, tally, None if page.last else next_offset)
            checkpoint_id = checkpoints.page_landed(self.conn, self.sync_id, self.checkpoint_id, page, result)
            if self.keep_responses and not (page.repeated and page.repeated == page.received):
                keep_response(self.conn, page, self.sync_id)
            # A day of which something is missing is read for good by the second look.
            if day_read and (again or not result.missing):
                sync_log.window_read(self.conn, self.sync_id, page, day_read)
            self._warn(page, result)
        self.tally, self.checkpoint_id = tally, checkpoint_id
        if page.last and page.whole:
            self.read += again or not result.missing
        elif page.last:
            self.incomplete.append(str(page.window))

    def _note_missing(self, page: WindowPage, result: PageResult, again: bool) -> None:
        if self.missing and (returned := keys_of(page)):
            self.missing = {window: one.but(returned) for window, one in self.missing.items()}
        if page.last:
            before = self.missing.pop(page.window, None)
            if result.missing:
                self.missing[page.window] = result.missing.both(before) if again and before else result.missing

    def _settle(self, tally: Tally, load_id: int) -> None:
        found = [one for one in self.missing.values() if one.count]
        gone = deletions.believed(self.conn, found, self.sync_id, confirmed=self.confirm_deletions)
        tally.deleted = deletions.mark(self.conn, gone, load_id)
        tally.missing = sum(one.count for one in found) - tally.deleted

    def _warn(self, page: WindowPage, result: PageResult) -> None:
        if result.new_faults:  # a bad record is met again by each sync that reads its day
            log.warning(
                "%s %s: %d records and messages more could not be read; see raw.quarantine",
                self.entity,
                page.window,
                result.new_faults,
            )
            note_warning(
                self.conn,
                self.sync_id,
                "Quarantined",
                "records or messages could not be read",
                entity=self.entity,
                window=str(page.window),
                offset=page.page.offset,
                records=result.quarantined,
                messages=result.bad_messages,
                new=result.new_faults,
                load_id=result.load_id,
            )
        if page.last and not page.whole:
            note_warning(
                self.conn,
                self.sync_id,
                "WindowIncomplete",
                "the records of a window did not add up",
                entity=self.entity,
                window=str(page.window),
                seen=page.distinct,
                total=page.page.total,
            )

    def _tell(self, page: WindowPage, number: int, windows: int) -> None:
        if self.on_progress:
            self.on_progress(
                progress(
                    page,
                    number,
                    windows,
                    records=self.tally.records,
                    pages=self.tally.pages,
                    started_at=self.started_at,
                    ration_left=self.client.ration_left(),
                )
            )

    def _close(self, todo: Plan, out_of_ration: str | None) -> SyncResult:
        reason = out_of_ration
        if self.incomplete and not reason:
            reason = f"{len(self.incomplete)} windows did not add up: {', '.join(self.incomplete[:10])}"
        status: Literal["success", "partial"] = "partial" if reason else "success"
        if out_of_ration:
            note_warning(self.conn, self.sync_id, "RationExhausted", out_of_ration, entity=self.entity)
        sync_log.close_log(
            self.conn,
            self.sync_id,
            self.entity,
            self.tally,
            self.started_at,
            status,
            reason=reason,
            paused=out_of_ration is not None,
            brings_up_to_date=self.scope.mode != "backfill",
            windows_read=self.read,
            windows_incomplete=self.incomplete,
        )
        seconds = (datetime.now(UTC) - self.started_at).total_seconds()
        log.info(
            "Sync of %s: %s; %d records in %d pages (%d new, %d changed, %d quarantined) in %.1f s",
            self.entity,
            reason or "done",
            self.tally.records,
            self.tally.pages,
            self.tally.new,
            self.tally.changed,
            self.tally.quarantined,
            seconds,
        )
        return SyncResult(
            self.sync_id,
            self.entity,
            status,
            reason,
            self.source.kind if self.source else None,
            len(todo.windows),
            self.read,
            self.incomplete,
            todo.old_days_waiting,
            self.tally,
            seconds,
            self.client.ration_left(),
        )

    def note_failure(self, url: str, error: BaseException) -> None:
        """Write the failure down; over a new connection where the old one is what failed."""
        log.error("Sync of %s failed: %s", self.entity, safe_reason(error))
        try:
            if self.conn.broken or self.conn.closed:
                with connect(url, autocommit=True) as fresh:
                    self._write_failure(fresh, error)
            else:
                self._write_failure(self.conn, error)
        except psycopg.Error:
            log.error("The failure could not be written to ops.sync_logs; the next sync will close its row")

    def _write_failure(self, conn: psycopg.Connection, error: BaseException) -> None:
        with conn.transaction():
            error_log.note_failure(conn, self.sync_id, error, entity=self.entity, mode=self.scope.mode)
            sync_log.close_log(
                conn,
                self.sync_id,
                self.entity,
                self.tally,
                self.started_at,
                "error",
                reason=safe_reason(error),
                windows_read=self.read,
                windows_incomplete=self.incomplete,
            )


def _is_large(page: WindowPage) -> bool:
    """Whether a page takes so much memory that the next waits for it."""
    return page.page.response_bytes > _LARGE_ANSWER


def _day_read(page: WindowPage, todo: Plan, number: int, today: date, incomplete: list[str]) -> date | None:
    """The day that counts as read whole once this page has landed, if any does."""
    if not (page.last and page.whole):
        return None
    if page.window.entity == "chats":
        day = page.window.day_from
        return day if day and day < today else None
    return todo.reads_up_to if number == len(todo.windows) - 1 and not incomplete else None
