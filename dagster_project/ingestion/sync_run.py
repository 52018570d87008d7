"""A sync under way: it plans the windows, reads them page by page and lands each page; one page is prefetched."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Required, TypedDict

import psycopg

from dagster_project.ingestion import checkpoints
from dagster_project.ingestion.checkpoints import open_windows
from dagster_project.ingestion.history import SyncHistory
from dagster_project.ingestion.logs import error_log, sync_log
from dagster_project.ingestion.logs.error_log import note_warning, safe_reason
from dagster_project.ingestion.logs.page_warnings import warn_of
from dagster_project.ingestion.logs.response_log import keep_response
from dagster_project.ingestion.logs.sync_log import SyncCounts
from dagster_project.ingestion.origin import require_origin
from dagster_project.ingestion.prefetch import prefetch
from dagster_project.ingestion.progress import Progress, progress
from dagster_project.ingestion.records import deletions
from dagster_project.ingestion.records.copied import land_copied
from dagster_project.ingestion.records.deletions import Missing
from dagster_project.ingestion.records.file_transaction import FileTransaction
from dagster_project.ingestion.records.gone import compare_keys
from dagster_project.ingestion.records.landing import land_page
from dagster_project.ingestion.records.page_loads import PageResult
from dagster_project.ingestion.records.raw_tables import keys_of
from dagster_project.ingestion.sync_result import SyncResult
from dagster_project.sources.contract import (
    EntitySpec,
    OpenWindow,
    Origin,
    Page,
    Plan,
    QuotaExhausted,
    Scope,
    Source,
    UnreadableWindow,
    Watermark,
    Window,
)
from dagster_project.warehouse.connection import connect

log = logging.getLogger(__name__)

_LARGE_ANSWER = 16 * 2**20  # bytes; a thousand chats with twenty messages each have 5 MiB
# An incremental sync resumes windows that were interrupted since: what is older may have changed, and is read anew.
_RESUMES_WITHIN = timedelta(hours=24)


class How(TypedDict, total=False):
    """What is up to whoever starts a sync.

    Attributes:
        triggered_by: who or what started it (ops.sync_logs.user_id).
        keep_responses: keep each whole answer in ops.api_response_logs. Default: yes.
        confirm_deletions: believe it that most of a window is gone; see `deletions.is_suspicious`. Default: no.
        on_progress: called after each page has been committed.
    """

    triggered_by: Required[str]
    keep_responses: bool
    confirm_deletions: bool
    on_progress: Callable[[Progress], None] | None


@dataclass(slots=True)
class Run:
    """One sync under way."""

    conn: psycopg.Connection
    source: Source
    entity: EntitySpec
    scope: Scope
    sync_id: str
    started_at: datetime
    how: How
    origin: Origin | None = None
    counts: SyncCounts = field(default_factory=SyncCounts)
    read: int = 0
    incomplete: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    missing: dict[Window, Missing] = field(default_factory=dict)
    checkpoint_id: str | None = None

    def to_the_end(self, since: datetime | None, planned: Plan | None) -> SyncResult:
        todo, out_of_quota = planned or Plan([]), None
        try:
            self.origin = self.source.origin()
            require_origin(self.conn, self.source.spec, self.origin)
            interrupted = open_windows(self.conn, self.entity, self._resumed_from(since))
            if not planned:
                todo = self.source.plan(
                    self.entity, self.scope, SyncHistory(self.conn, self.entity, interrupted, since)
                )
            self._announce(todo)
            self._read_all(todo, interrupted)
            self._confirm_missing(todo)
        except QuotaExhausted as error:
            out_of_quota = str(error)
        return self._close(todo, out_of_quota)

    def _resumed_from(self, since: datetime | None) -> datetime | None:
        """From when on an interrupted window is resumed: what was asked for anew is read anew."""
        if self.entity.is_resumed_always:
            return None
        return self.started_at - _RESUMES_WITHIN if self.scope.mode == "incremental" else since or self.started_at

    def _announce(self, todo: Plan) -> None:
        assert self.origin is not None
        log.info("Sync of %s from %s: %d windows to read", self.entity.name, self.origin.kind, len(todo.windows))
        sync_log.note(
            self.conn,
            self.sync_id,
            source=self.origin.kind,
            windows=len(todo.windows),
            old_days_waiting=todo.days_waiting,
            **({"reads_up_to": str(todo.reads_up_to)} if todo.reads_up_to else {}),
        )

    def _read_all(self, todo: Plan, interrupted: Mapping[str, OpenWindow], *, again: bool = False) -> None:
        number, before = 0, self.counts
        with (
            closing(prefetch(self._pages(todo, interrupted), alone=_is_large)) as pages,
            FileTransaction(self.conn, self.entity) as file,
        ):
            for page in pages:
                if isinstance(page, _Refused):
                    file.undo()
                    if self.entity.is_by_file:
                        self.counts, self.checkpoint_id = before, None
                    self._note_refused(page)
                    number += 1
                    continue
                if file.begins(page):
                    before = self.counts
                self._land(
                    page,
                    _day_read(page, todo, number, self.scope.today, self.incomplete),
                    todo.watermark if page.is_last and number == len(todo.windows) - 1 else None,
                    again=again,
                    ends=again and page.is_last and number == len(todo.windows) - 1,
                )
                if page.is_last:
                    file.commit()
                self._tell(page, number, len(todo.windows))
                number += page.is_last
                del page  # two large pages must not meet in memory

    def _note_refused(self, refused: "_Refused") -> None:
        log.error("%s: %s", self.entity.name, refused.error)
        note_warning(self.conn, self.sync_id, type(refused.error).__name__, str(refused.error), entity=self.entity.name)
        self.unreadable.append(str(refused.error))

    def _confirm_missing(self, todo: Plan) -> None:
        """Read once more what lacks known records; with its last page, what is missing then too is marked."""
        if self.missing:
            log.info(
                "%s: known records were not returned; reading their %d windows once more to be sure",
                self.entity.name,
                len(self.missing),
            )
            self._read_all(replace(todo, windows=list(self.missing)), {}, again=True)

    def _pages(self, todo: Plan, interrupted: Mapping[str, OpenWindow]) -> Iterator["Page | _Refused"]:
        """The pages of all windows. It runs in another thread than the rest."""
        for window in todo.windows:
            earlier = interrupted.get(str(window))
            try:
                yield from self.source.pages(self.entity, window, earlier.resume_point if earlier else None)
            except UnreadableWindow as error:
                yield _Refused(error)

    def _land(self, page: Page, day_read: date | None, reached: Watermark | None, *, again: bool, ends: bool) -> None:
        counts = replace(self.counts)
        with self.conn.transaction():
            land = compare_keys if page.held else land_copied if page.copied else land_page
            result = land(self.conn, page, self.sync_id)
            page = result.page
            counts.add(page, result)
            self._note_missing(page, result, again)
            if ends:
                self._settle(counts, result.load_id)
            next_offset = page.offset + page.received
            sync_log.page_landed(self.conn, self.sync_id, self.entity, counts, None if page.is_last else next_offset)
            checkpoint_id = checkpoints.page_landed(self.conn, self.sync_id, self.checkpoint_id, page, result)
            if (
                self.how.get("keep_responses", True)
                and page.answer.endpoint
                and not (page.repeated and page.repeated == page.received)
            ):
                keep_response(self.conn, page, self.sync_id)
            # A day of which something is missing is read for good by the second reading.
            if (day_read or (page.is_complete and self.entity.is_by_file)) and (again or not result.missing):
                sync_log.window_read(self.conn, self.sync_id, page, day_read)
            if reached:
                sync_log.note_watermarks(self.conn, {self.entity: reached})
            warn_of(self.conn, self.sync_id, page, result)
        self.counts, self.checkpoint_id = counts, checkpoint_id
        if page.is_last and page.is_complete:
            self.read += again or not result.missing
        elif page.is_last:
            self.incomplete.append(str(page.window))

    def _note_missing(self, page: Page, result: PageResult, again: bool) -> None:
        if self.missing and (returned := keys_of(page)):
            self.missing = {window: one.but(returned) for window, one in self.missing.items()}
        if page.is_last:
            before = self.missing.pop(page.window, None)
            if result.missing:
                self.missing[page.window] = result.missing.both(before) if again and before else result.missing

    def _settle(self, counts: SyncCounts, load_id: int) -> None:
        found = [one for one in self.missing.values() if one.count]
        gone = deletions.believed(self.conn, found, self.sync_id, confirmed=self.how.get("confirm_deletions", False))
        counts.deleted = deletions.mark(self.conn, gone, load_id)
        counts.missing = sum(one.count for one in found) - counts.deleted

    def _tell(self, page: Page, number: int, windows: int) -> None:
        if on_progress := self.how.get("on_progress"):
            on_progress(
                progress(
                    page,
                    number,
                    windows,
                    records=self.counts.records,
                    pages=self.counts.pages,
                    started_at=self.started_at,
                    quota_left=self.source.quota_left(),
                )
            )

    def _close(self, todo: Plan, out_of_quota: str | None) -> SyncResult:
        reason = out_of_quota
        if self.incomplete and not reason:
            reason = f"{len(self.incomplete)} windows did not add up: {', '.join(self.incomplete[:10])}"
        if self.unreadable and not reason:
            reason = f"{len(self.unreadable)} windows could not be read: {'; '.join(self.unreadable[:10])}"
        status: Literal["success", "partial"] = "partial" if reason else "success"
        if out_of_quota:
            note_warning(self.conn, self.sync_id, "QuotaExhausted", out_of_quota, entity=self.entity.name)
        sync_log.close_log(
            self.conn,
            self.sync_id,
            self.entity,
            self.counts,
            self.started_at,
            status,
            reason=reason,
            paused=out_of_quota is not None,
            brings_up_to_date=self.scope.mode != "backfill",
            windows_read=self.read,
            windows_incomplete=self.incomplete,
        )
        seconds = (datetime.now(UTC) - self.started_at).total_seconds()
        log.info(
            "Sync of %s: %s; %d records in %d pages (%d new, %d changed, %d quarantined) in %.1f s",
            self.entity.name,
            reason or "done",
            self.counts.records,
            self.counts.pages,
            self.counts.new,
            self.counts.changed,
            self.counts.quarantined,
            seconds,
        )
        return SyncResult(
            self.sync_id,
            self.entity.name,
            status,
            reason,
            self.origin.kind if self.origin else None,
            len(todo.windows),
            self.read,
            self.incomplete,
            self.unreadable,
            todo.days_waiting,
            self.counts,
            seconds,
            self.source.quota_left(),
        )

    def note_failure(self, url: str, error: BaseException) -> None:
        """Write the failure down; over a new connection where the old one is what failed."""
        log.error("Sync of %s failed: %s", self.entity.name, safe_reason(error))
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
            error_log.note_failure(conn, self.sync_id, error, entity=self.entity.name, mode=self.scope.mode)
            sync_log.close_log(
                conn,
                self.sync_id,
                self.entity,
                self.counts,
                self.started_at,
                "error",
                reason=safe_reason(error),
                windows_read=self.read,
                windows_incomplete=self.incomplete,
            )


@dataclass(frozen=True, slots=True)
class _Refused:
    """In the place of a window's further pages: why there are none."""

    error: UnreadableWindow


def _is_large(page: Page | _Refused) -> bool:
    """Whether the next page waits for it: it takes much memory, or is still on its way."""
    return isinstance(page, Page) and bool(page.copied or page.held or page.answer.size > _LARGE_ANSWER)


def _day_read(page: Page, todo: Plan, number: int, today: date, incomplete: list[str]) -> date | None:
    """The day that counts as fully read once this page has landed, if any does."""
    if not (page.is_last and page.is_complete):
        return None
    day = page.window.day_read
    if day:
        return day if day < today else None
    return todo.reads_up_to if number == len(todo.windows) - 1 and not incomplete else None
