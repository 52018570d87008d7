"""Old months go their way from the table to a verified file, one state at a time (see the package)."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql

from dagster_project.warehouse import locks
from dagster_project.warehouse.archive import files, states
from dagster_project.warehouse.archive.contract import TABLES, ArchiveFailed, ArchiveStore
from dagster_project.warehouse.archive.states import Archive
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.partitions import months_after, partitions_of

log = logging.getLogger(__name__)

_LOCK = ("archive", "all")
MEDIA_TYPE = "application/vnd.apache.parquet"
_LOCK_TIMEOUT = "5s"  # for whoever reads or writes the partition; then it is left to the next run


def run(url: str, store: ArchiveStore, older_than_months: int | None, today: date) -> list[Archive]:
    """Archive what is due, resume what was begun, and drop what has waited long enough.

    Args:
        older_than_months: a month is due when its last day is so many months old; None begins nothing new but of tables
            that have a time of their own.

    Returns:
        what came into another state, as it is now; of a partition that somebody was using, `verified` at most.

    Raises:
        ArchiveFailed: a file does not hold what was written, the extra parquet is missing, or another run is at work.
        StoreFailed: the store does not answer; what is written so far stays.
    """
    with connect(url, autocommit=True) as conn, alone(conn):
        before = {one.id: one.state for one in states.archives(conn, (*states.UNDER_WAY, "dropped", "purged"))}
        for table, month in states.due(conn, older_than_months, today):
            states.plan(conn, table, month, new_key(table, month))
        for one in states.archives(conn, ("detached",)):
            _drop(conn, one)
        to_write = states.archives(conn, ("planned", "exported", "verified"))
        for number, one in enumerate(to_write, 1):
            log.info("archiving %s, %d of %d", one.label, number, len(to_write))
            _take_out_of_table(conn, url, store, one)
        for one in states.archives(conn, ("dropped",)):
            _purge(conn, store, one, today)
        after = states.archives(conn, (*states.UNDER_WAY, "dropped", "purged"))
    return [one for one in after if before.get(one.id) != one.state]


@contextmanager
def alone(conn: psycopg.Connection) -> Iterator[None]:
    """Nobody else archives or restores while this lasts. Raises ArchiveFailed."""
    if not locks.try_take(conn, *_LOCK):
        raise ArchiveFailed("another run archives or restores: wait for its end")
    try:
        yield
    finally:
        locks.release(conn, *_LOCK)


def _take_out_of_table(conn: psycopg.Connection, url: str, store: ArchiveStore, archive: Archive) -> None:
    """Write a month, read it back and detach it, from the state in which it is."""
    if archive.state == "planned":
        archive = _export(url, store, archive)
    if archive.state == "exported":
        archive = _verify(url, store, archive)
    if archive.state == "verified":
        _detach(conn, store, archive)


def _export(url: str, store: ArchiveStore, archive: Archive) -> Archive:
    """Write the partition as a file, with what it holds, both of one snapshot."""
    key = TABLES[archive.table_name].key
    with connect(url) as conn, files.scratch(store.scratch, f"archive-{archive.id}.parquet") as file:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        part = _partition(conn, archive)
        content = files.content_of(conn, part, key)
        files.write(conn, part, key, file, content.largest_row)
        known = {"bytes": file.stat().st_size, "sha256": files.sha256_of(file)}
        store.delete(archive.object_key)  # of one that was killed after it had put it
        store.put(archive.object_key, file, archive.object_key.rsplit("/", 1)[-1], MEDIA_TYPE)
        conn.rollback()
        return _moved(conn, archive, "exported", known | {name: getattr(content, name) for name in content.__slots__})


def _verify(url: str, store: ArchiveStore, archive: Archive) -> Archive:
    """Fetch the file and read it back: the same rows, or no archive."""
    with connect(url) as conn, files.scratch(store.scratch, f"archive-{archive.id}.parquet") as file:
        store.get(archive.object_key, file)
        require_same(conn, archive, file)
        return _moved(conn, archive, "verified", {})


def require_same(conn: psycopg.Connection, archive: Archive, file: Path) -> sql.Identifier:
    """The temporary table of a fetched file, which holds what was written. Raises ArchiveFailed."""
    read_back = sql.Identifier("read_back")
    if files.sha256_of(file) != archive.sha256:
        raise ArchiveFailed(f"{archive.label}: the file {archive.object_key} is not the one that was written")
    files.read(conn, file, archive.table_name, read_back)
    found = files.content_of(conn, read_back, TABLES[archive.table_name].key)
    if any(getattr(found, name) != getattr(archive, name) for name in found.__slots__):
        raise ArchiveFailed(f"{archive.label}: the file {archive.object_key} does not hold the rows that were written")
    return read_back


def _detach(conn: psycopg.Connection, store: ArchiveStore, archive: Archive) -> None:
    """Take the partition out of the table, if it still is what the file holds; all of it in one transaction.

    Not CONCURRENTLY: that takes two transactions, and between them a late record of the month would be refused. The
    lock on the table is held for the moment at the end alone.
    """
    key = TABLES[archive.table_name].key
    try:
        with conn.transaction():
            conn.execute("select set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
            # Of its writers one at a time: a sync that waits for us while we wait for it would be ended.
            if not locks.free(conn, "write", ["raw"]):
                raise psycopg.errors.LockNotAvailable
            part = _partition(conn, archive)
            conn.execute(sql.SQL("lock table {} in share row exclusive mode").format(part))
            content = files.content_of(conn, part, key)
            if (content.row_count, content.content_sum) != (archive.row_count, archive.content_sum):
                log.info("%s has changed since it was written: it is written anew", archive.label)
                another = new_key(archive.table_name, archive.month)
                states.move_on(conn, archive, "planned", object_key=another)
            else:
                _take_out(conn, archive, part)
                return
        store.delete(archive.object_key)
    except psycopg.errors.LockNotAvailable:
        log.warning("%s is in use: it is taken out by the next run", archive.label)
    except psycopg.errors.ForeignKeyViolation:
        log.warning("%s: rows of another table refer to it still: it is taken out by the next run", archive.label)


def _take_out(conn: psycopg.Connection, archive: Archive, part: sql.Identifier) -> None:
    if remember := TABLES[archive.table_name].taken_out:
        conn.execute(sql.SQL(remember).format(part=part, id=sql.Literal(archive.id)))
    table = sql.Identifier(*archive.table_name.split("."))
    conn.execute(sql.SQL("alter table {} detach partition {}").format(table, part))
    conn.execute("select ops.put_aside(%s::regclass, %s)", [part.as_string(conn), archive.waiting_table])
    waiting = sql.Identifier("archived", archive.waiting_table)
    keys = "select conname from pg_constraint where conrelid = %s::regclass and contype = 'f' and conparentid = 0"
    for (key,) in conn.execute(keys, [waiting.as_string(conn)]).fetchall():  # else what it refers to could not go
        conn.execute(sql.SQL("alter table {} drop constraint {}").format(waiting, sql.Identifier(key)))
    states.move_on(conn, archive, "detached")


def _drop(conn: psycopg.Connection, archive: Archive) -> None:
    """Drop a partition whose days of grace are over."""
    with conn.transaction():
        row = conn.execute("select now() - %s > %s", [archive.detached_at, states.GRACE]).fetchone()
        if row == (True,):
            drop_waiting(conn, archive)
            states.move_on(conn, archive, "dropped")


def _purge(conn: psycopg.Connection, store: ArchiveStore, archive: Archive, today: date) -> None:
    """Delete a file whose time is over: nothing brings the month back."""
    kept = TABLES[archive.table_name]
    if kept.cold_months and archive.month <= months_after(today, -(kept.online_months or 0) - kept.cold_months - 1):
        store.delete(archive.object_key)
        states.move_on(conn, archive, "purged")


def drop_waiting(conn: psycopg.Connection, archive: Archive) -> None:
    """Drop the partition that waits, if it does still."""
    waiting = sql.Identifier("archived", archive.waiting_table)
    conn.execute(sql.SQL("drop table if exists {}").format(waiting))


def _partition(conn: psycopg.Connection, archive: Archive) -> sql.Identifier:
    for one in partitions_of(conn, archive.table_name):
        if one.month == archive.month:
            return sql.Identifier(*one.name.split("."))
    raise ArchiveFailed(f"{archive.label} is no partition any more: somebody has taken it out")


def _moved(conn: psycopg.Connection, archive: Archive, state: states.State, known: dict[str, object]) -> Archive:
    states.move_on(conn, archive, state, **known)
    conn.commit()
    return next(one for one in states.archives(conn, (state,)) if one.id == archive.id)


def new_key(table: str, month: date) -> str:
    """A key that nobody can guess: what lies there holds what customers wrote."""
    name = f"{table.replace('.', '_')}-{month:%Y-%m}"
    return f"archive/{name}-{secrets.token_hex(16)}.parquet"
