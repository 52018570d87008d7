"""A source that is a schema of another Postgres: what is new in each table, planned and read."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster_project.sources.contract import (
    EntitySpec,
    History,
    Origin,
    Page,
    Plan,
    Scope,
    SourceSpec,
    Watermark,
    Window,
)
from dagster_project.sources.postgres_reader import days, keys
from dagster_project.sources.postgres_reader.marks import Mode, mark_of
from dagster_project.sources.postgres_reader.rows import Copying, Stream, pages_of
from dagster_project.sources.postgres_reader.server import Server, reading
from dagster_project.sources.postgres_reader.window import Position, Rows, Selection


@contextmanager
def postgres_source(spec: SourceSpec, url: str, mode: Mode) -> Iterator["PostgresSource"]:
    """A source that lies in the schema of its name, as it is at this moment.

    Raises:
        SourceError: there is no such server or schema, or it may not be read.
    """
    with reading(url, spec.name) as server:
        yield PostgresSource(spec, server, mode)


class PostgresSource:
    """All tables of a source at one moment. Implements `contract.Source`."""

    def __init__(self, spec: SourceSpec, server: Server, mode: Mode) -> None:
        self.spec = spec
        self._server = server
        self._moment = server.moment()
        self._tables = server.tables(spec.entities)
        self._mark = mark_of(mode, self._moment.transaction, self._moment.now)

    def origin(self) -> Origin:
        """Which Postgres answers; whether the sandbox made what it holds."""
        return Origin("sandbox" if self._server.is_made_up() else "postgres", self._server.address)

    @property
    def table_count(self) -> int:
        """How many of its tables are there."""
        return len(self._tables)

    @property
    def seconds_behind(self) -> float | None:
        """How far a replica is behind its primary; None where this is no replica."""
        return self._server.seconds_behind()

    def plan(self, entity: EntitySpec, scope: Scope, history: History) -> Plan:
        """The rows that are new since the last time; all of them, where the server is another one, or was restored.

        One that has no such table has nothing to read.
        """
        table = self._tables.get(entity.name)
        if not table:
            return Plan([])
        system, mark, last = f"{self._moment.system}/{table.oid}", self._mark, history.watermark
        is_known = last and last.mode == mark.mode and last.system == system and not mark.has_fallen_below(last.value)
        low = last.value if last and is_known and scope.mode != "full" else None
        window = Rows(system, mark.mode, low, mark.ceiling)
        opened = history.open_windows.get(str(window))
        window = window.resumed(opened.resume_point if opened else None)
        reached = Watermark(
            mark.mode,
            window.high or mark.ceiling,
            system,
            may_miss=not mark.is_transaction,
            ceiling_age_seconds=self._moment.ceiling_age_seconds if mark.is_transaction else None,
            ceiling_holder_pid=self._moment.ceiling_holder_pid if mark.is_transaction else None,
        )
        windows: list[Window] = [window] if opened or self._selection(entity, window).counts() else []
        if low and not mark.is_transaction:
            windows += days.that_differ(self._selection(entity, window), scope, history)
        windows += (keys.Keys(system, month) for month in keys.that_differ(self._server, table, entity, scope, history))
        return Plan(windows, watermark=reached)

    def pages(self, entity: EntitySpec, window: Window, resume_point: str | None) -> Iterator[Page]:
        """The rows of a window, in batches. Raises SourceError."""
        if isinstance(window, keys.Keys):
            held = keys.Held(self._server, self._tables[entity.name], entity, window.month)
            yield Page(entity, window, [], [], 0, is_last=True, is_complete=True, held=held)
            return
        assert isinstance(window, Rows)
        selection = self._selection(entity, window)
        after = Position.of(window, resume_point)
        pages = list(pages_of(selection, after))
        if not pages:  # what was left of an interrupted window has changed since, and comes by the next one
            yield Page(entity, window, [], [], 0, is_last=True, is_complete=True)
            return
        stream, offset, total = Stream(selection), 0, sum(part.take for parts in pages for part in parts)
        for number, parts in enumerate(pages, 1):
            is_last, size = number == len(pages), sum(part.take for part in parts)
            copying = Copying(selection, stream, parts)
            yield Page(entity, window, [], [], size, is_last, is_last, offset, total, copied=copying)
            offset += size
        stream.close()

    def quota_left(self) -> int | None:
        """There is no limit."""
        return None

    def _selection(self, entity: EntitySpec, window: Rows) -> Selection:
        return Selection(self._server, self._tables[entity.name], entity, self._mark, window)
