"""One sync: plan the windows, read them page by page, land each page, keep the books."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Literal

import psycopg

from dagster_project.b2chat.client import B2ChatClient, Source
from dagster_project.b2chat.errors import B2ChatError, RationExhausted
from dagster_project.b2chat.records import Entity
from dagster_project.b2chat.windows import Window, WindowPage, read_window
from dagster_project.ingestion import books
from dagster_project.ingestion.books import Tally
from dagster_project.ingestion.errors import IngestionError, WarehouseFailed
from dagster_project.ingestion.landing import land_page
from dagster_project.ingestion.plan import Mode, Plan, plan
from dagster_project.ingestion.source import require_source
from dagster_project.ingestion.writer import writer
from dagster_project.warehouse.connection import connect

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync has come, after a page.

    Attributes:
        window_day: the first day of the window just read; None when all days are read at once.
        done_records: records seen since the start, in `pages` pages.
        rate: records a second since the start.
        windows_left: windows not read to their end yet.
    """

    window_day: date | None
    done_records: int
    pages: int
    rate: float
    windows_left: int


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


def sync(
    url: str, client: B2ChatClient, *, entity: Entity, start_date: date, today: date, lookback_days: int = 30,
    mode: Mode = "incremental", on_progress: Callable[[Progress], None] | None = None, triggered_by: str,
) -> SyncResult:
    """Bring the warehouse up to date with B2Chat. A sync that was killed is taken up by the next one.

    Args:
        url: of the warehouse.
        start_date: the first creation day to read; contacts are read whatever their day.
        today: the current day in the account's zone; it is read but never counts as read whole.
        lookback_days: recent days that are read again, because chats change after they are created.
        mode: "full" reads all days again.
        on_progress: called after each page has been committed.
        triggered_by: who or what started it (ops.sync_logs.user_id).

    Raises:
        AlreadyRunning: another sync holds the warehouse.
        SourceMismatch: the warehouse belongs to another kind of source.
        WarehouseFailed: Postgres failed.
        B2ChatError: B2Chat failed; pages landed before that stay.
    """
    if start_date > today:
        raise ValueError(f"start_date {start_date} is after today, {today}")
    with writer(url, f"sync {entity} ({triggered_by})") as conn:
        if books.close_unfinished(conn):
            log.info("An earlier sync did not finish; this one takes it up")
        started_at = datetime.now(UTC)
        sync_id = books.open_log(conn, entity, mode, triggered_by, started_at, {
            "mode": mode, "today": str(today), "start_date": str(start_date), "lookback_days": lookback_days})
        run = _Run(conn, client, entity, sync_id, started_at, on_progress)
        try:
            return run.to_the_end(partial(
                plan, conn, entity, mode, start_date=start_date, today=today, lookback_days=lookback_days,
                page_size=client.page_size), today)
        except BaseException as error:
            failure = WarehouseFailed(error) if isinstance(error, psycopg.Error) else error
            run.note_failure(url, failure)
            if failure is error:
                raise
            raise failure from None


@dataclass(slots=True)
class _Run:
    """One sync under way."""

    conn: psycopg.Connection
    client: B2ChatClient
    entity: Entity
    sync_id: str
    started_at: datetime
    on_progress: Callable[[Progress], None] | None
    source: Source | None = None
    tally: Tally = field(default_factory=Tally)
    read: int = 0
    incomplete: list[str] = field(default_factory=list)

    def to_the_end(self, make_plan: Callable[[], Plan], today: date) -> SyncResult:
        todo, out_of_ration = Plan([]), None
        try:
            self.source = self.client.source()
            require_source(self.conn, self.source)
            todo = make_plan()
            self._announce(todo)
            self._read_all(todo, today)
        except RationExhausted as error:
            out_of_ration = str(error)
        return self._close(todo, out_of_ration)

    def _announce(self, todo: Plan) -> None:
        assert self.source is not None
        log.info("Sync of %s from %s: %d windows to read", self.entity, self.source.kind, len(todo.windows))
        books.note(self.conn, self.sync_id, source=self.source.kind, windows=len(todo.windows),
                   old_days_waiting=todo.old_days_waiting,
                   **({"reads_up_to": str(todo.reads_up_to)} if todo.reads_up_to else {}))

    def _read_all(self, todo: Plan, today: date) -> None:
        for number, window in enumerate(todo.windows):
            start_offset = todo.start_offset if number == 0 else 0
            for page in read_window(window, partial(self.client.page, window), start_offset=start_offset):
                self._land(page, _day_read(page, todo, number, today, self.incomplete))
                self._tell(window, len(todo.windows) - number - page.last)

    def _land(self, page: WindowPage, day_read: date | None) -> None:
        tally = replace(self.tally)
        with self.conn.transaction():
            result = land_page(self.conn, page, self.sync_id)
            tally.add(page, result)
            next_offset = page.page.offset + len(page.page.items)
            goes_on = page.window == Window("contacts") and not page.last
            books.page_landed(self.conn, self.sync_id, self.entity, tally, next_offset if goes_on else None)
            if day_read:
                books.window_read(self.conn, self.sync_id, page, day_read)
        self.tally = tally
        if page.last and page.whole:
            self.read += 1
        elif page.last:
            self.incomplete.append(str(page.window))
        if result.quarantined or result.bad_messages:
            log.warning("%s %s: %d records and %d messages could not be read; see raw.quarantine",
                        self.entity, page.window, result.quarantined, result.bad_messages)

    def _tell(self, window: Window, windows_left: int) -> None:
        if self.on_progress:
            seconds = (datetime.now(UTC) - self.started_at).total_seconds()
            self.on_progress(Progress(window.day_from, self.tally.records, self.tally.pages,
                                      self.tally.records / max(seconds, 0.001), windows_left))

    def _close(self, todo: Plan, out_of_ration: str | None) -> SyncResult:
        reason = out_of_ration
        if self.incomplete and not reason:
            reason = f"{len(self.incomplete)} windows did not add up: {', '.join(self.incomplete[:10])}"
        status: Literal["success", "partial"] = "partial" if reason else "success"
        books.close_log(
            self.conn, self.sync_id, self.entity, self.tally, self.started_at, status, reason=reason,
            paused=out_of_ration is not None, windows_read=self.read, windows_incomplete=self.incomplete)
        seconds = (datetime.now(UTC) - self.started_at).total_seconds()
        log.info("Sync of %s: %s; %d records in %d pages (%d new, %d changed, %d quarantined) in %.1f s",
                 self.entity, reason or "done", self.tally.records, self.tally.pages, self.tally.new,
                 self.tally.changed, self.tally.quarantined, seconds)
        return SyncResult(
            self.sync_id, self.entity, status, reason, self.source.kind if self.source else None,
            len(todo.windows), self.read, self.incomplete, todo.old_days_waiting, self.tally, seconds)

    def note_failure(self, url: str, error: BaseException) -> None:
        """Write the failure down; over a new connection where the old one is what failed."""
        reason = str(error) if isinstance(error, B2ChatError | IngestionError) else type(error).__name__
        log.error("Sync of %s failed: %s", self.entity, reason)
        try:
            if self.conn.broken or self.conn.closed:
                with connect(url, autocommit=True) as fresh:
                    self._write_failure(fresh, reason)
            else:
                self._write_failure(self.conn, reason)
        except psycopg.Error:
            log.error("The failure could not be written to ops.sync_logs; the next sync will close its row")

    def _write_failure(self, conn: psycopg.Connection, reason: str) -> None:
        books.close_log(conn, self.sync_id, self.entity, self.tally, self.started_at, "error", reason=reason,
                        windows_read=self.read, windows_incomplete=self.incomplete)


def _day_read(page: WindowPage, todo: Plan, number: int, today: date, incomplete: list[str]) -> date | None:
    """The day that counts as read whole once this page has landed, if any does."""
    if not (page.last and page.whole):
        return None
    if page.window.entity == "chats":
        day = page.window.day_from
        return day if day and day < today else None
    return todo.reads_up_to if number == len(todo.windows) - 1 and not incomplete else None
