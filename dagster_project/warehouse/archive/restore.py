"""Archived months come back into their tables."""

import logging
from datetime import date

import psycopg
from psycopg import sql

from dagster_project.warehouse import partitions
from dagster_project.warehouse.archive import files, states, steps
from dagster_project.warehouse.archive.contract import TABLES, ArchiveFailed, ArchiveStore
from dagster_project.warehouse.archive.states import Archive
from dagster_project.warehouse.connection import connect

log = logging.getLogger(__name__)


def restore(url: str, store: ArchiveStore, table: str, month: date) -> list[tuple[Archive, int]]:
    """Bring a month back, from its file: all of it or nothing. The file stays.

    Returns:
        each archive of the month, and how many rows came back: those that the table has something newer of do not.

    Raises:
        ArchiveFailed: there is no such archive, or its file does not hold what was written.
        StoreFailed: the store does not answer.
    """
    with connect(url, autocommit=True) as conn, steps.alone(conn):
        found = states.of_month(conn, table, month)
        if not found:
            months = {f"{one.month:%Y-%m}" for one in states.archives(conn, states.AWAY) if one.table_name == table}
            away = ", ".join(sorted(months)) or "none is"
            raise ArchiveFailed(f"{table} {month:%Y-%m} is not archived (archived: {away})")
        return [(one, _restore(url, store, one)) for one in reversed(found)]


def restore_all(url: str, store: ArchiveStore, *, for_dbt: bool = False) -> list[tuple[Archive, int]]:
    """Bring all archived months back, or those that a build of everything needs."""
    with connect(url, autocommit=True) as conn, steps.alone(conn):
        away = [one for one in states.archives(conn, states.AWAY) if not for_dbt or TABLES[one.table_name].feeds_dbt]
        return [(one, _restore(url, store, one)) for one in reversed(away)]


def _restore(url: str, store: ArchiveStore, archive: Archive) -> int:
    log.info("restoring %s, %s rows", archive.label, f"{archive.row_count or 0:,}")
    with connect(url) as conn, files.scratch(store.scratch, f"restore-{archive.id}.parquet") as file:
        store.get(archive.object_key, file)
        read_back = steps.require_same(conn, archive, file)
        partitions.keep(conn, archive.table_name, [archive.month])
        try:
            count = _put_back(conn, archive, read_back)
        except psycopg.errors.ForeignKeyViolation:
            raise ArchiveFailed(
                f"{archive.label} hangs on messages that are away: restore rooms.messages {archive.month:%Y-%m} first"
            ) from None
        conn.execute("delete from ops.archived_records where archive_id = %s", [archive.id])
        steps.drop_waiting(conn, archive)
        states.move_on(conn, archive, "restored")
        conn.commit()
        return count


def _put_back(conn: psycopg.Connection, archive: Archive, read_back: sql.Identifier) -> int:
    names = [
        row[0]
        for row in conn.execute(
            "select attname from pg_attribute where attrelid = 'read_back'::regclass and attnum > 0 "
            "and attname in (select attname from pg_attribute where attrelid = %s::regclass) order by attnum",
            [archive.table_name],
        ).fetchall()
    ]
    first = sql.SQL("timestamptz {}").format(sql.Literal(f"{archive.month} 00:00:00+00"))
    return conn.execute(
        sql.SQL("insert into {table} ({names}) select {names} from {read_back} as old where not {live}").format(
            table=sql.Identifier(*archive.table_name.split(".")),
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            read_back=read_back,
            live=sql.SQL(TABLES[archive.table_name].live).format(month=first),
        )
    ).rowcount
