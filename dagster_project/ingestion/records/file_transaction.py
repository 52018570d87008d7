"""A file lands whole or not at all: one transaction around all its pages."""

from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

import psycopg
from psycopg import Rollback

from dagster_project.sources.contract import EntitySpec, Page


class FileTransaction:
    """The transaction of the file under way; none where an entity's windows are no files (`EntitySpec.is_by_file`)."""

    def __init__(self, conn: psycopg.Connection, entity: EntitySpec) -> None:
        self._conn, self._entity, self._stack = conn, entity, ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error:
            self.undo()

    def begins(self, page: Page) -> bool:
        """Open the transaction, if the page is the first of a file."""
        if not self._entity.is_by_file or page.offset:
            return False
        self._stack.enter_context(self._conn.transaction())
        return True

    def commit(self) -> None:
        """After the last page."""
        self._stack.close()

    def undo(self) -> None:
        """Take back what has landed of the file."""
        with suppress(psycopg.Error):  # the connection may be what failed
            self._stack.__exit__(Rollback, Rollback(), None)
