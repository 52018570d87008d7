"""A source that is a schema of a Postgres, read into a warehouse: what each holds, and readers that are killed."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from dagster_project.ingestion.sync import sync_source
from dagster_project.sources.contract import EntitySpec, Scope, SourceSpec
from dagster_project.sources.postgres_reader import rows
from dagster_project.sources.postgres_reader.marks import Mode
from dagster_project.sources.postgres_reader.reader import postgres_source

COUNTS = ("new", "changed", "unchanged", "deleted", "quarantined")


def read(
    url: str,
    source: str,
    spec: SourceSpec,
    today: date,
    mode: Mode = "row_xid",
    scope: Any = "incremental",
    *,
    confirm_deletions: bool = False,
) -> Any:
    """What each entity's sync brought, as in COUNTS; none where nothing was new."""
    with postgres_source(spec, source, mode) as opened:
        results = sync_source(
            url, opened, Scope(scope, today), confirm_deletions=confirm_deletions, triggered_by="test"
        )
    return {
        entity.name: tuple(sum(getattr(result.counts, name) for result in found) for name in COUNTS)
        for entity, found in results.items()
        if found
    }


def landed(conn: psycopg.Connection, entity: EntitySpec) -> list[tuple[str, Any]]:
    """The payloads of an entity that are there, by key."""
    query = sql.SQL("select row_key, payload from {} where deleted_at is null")
    return sorted(conn.execute(query.format(sql.Identifier("raw", entity.table))).fetchall())


def held(source: psycopg.Connection, entity: EntitySpec) -> list[tuple[str, Any]]:
    """The same of the source."""
    assert entity.copied
    source.execute("set timezone = 'UTC'")
    keys = sql.SQL(" || '|' || ").join(
        sql.SQL("(payload ->> {})").format(sql.Literal(key)) for key in entity.copied.keys
    )
    query = sql.SQL(
        "select {keys}, payload from (select to_jsonb(t) - {secrets}::text[] as payload from {table} as t) as rows"
    )
    names = {"keys": keys, "secrets": sql.Literal(list(entity.copied.secrets))}
    table = sql.Identifier(entity.source, entity.name)
    return sorted(source.execute(query.format(table=table, **names)).fetchall())


def assert_equal(conn: psycopg.Connection, source: psycopg.Connection, entities: Iterable[EntitySpec]) -> None:
    """All that the source holds of some entities has landed, and nothing else."""
    for entity in entities:
        assert landed(conn, entity) == held(source, entity), entity.name


def kill_at(row: int, page: int, *given: Any, entity: str | None = None) -> None:
    """Read (`read`) in pages of so many rows, in a process that dies with the given row, of an entity or of all, on its
    way."""
    victim = multiprocessing.get_context("fork").Process(target=_die_at, args=(row, page, entity, *given))
    victim.start()
    victim.join(120)
    assert victim.exitcode == -signal.SIGKILL


def _die_at(row: int, page: int, entity: str | None, *given: Any) -> None:
    rows.BATCH = page
    copying, passed = rows.Copying.write_to, 0

    def write_to(self: rows.Copying, write: Callable[[Any], None]) -> int:
        def counted(block: Any) -> None:
            nonlocal passed
            passed += entity in (None, self.selection.entity.name)
            if passed >= row:
                os.kill(os.getpid(), signal.SIGKILL)
            write(block)

        return copying(self, counted)

    rows.Copying.write_to = write_to  # type: ignore[method-assign]
    read(*given)
