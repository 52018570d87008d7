"""The restore drill: a backup is worth what can be restored from it, so it is restored, on a server of its own.

The throw-away server is of the embedded one's programs, in a folder of ours; whatever becomes of the drill, it is gone
afterwards, or with the next one.
"""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from dagster_project.warehouse import binaries, embedded, migrations
from dagster_project.warehouse.backup import contents, folder, restore
from dagster_project.warehouse.backup.folder import Backup, BackupFailed
from dagster_project.warehouse.backup.restore import Clock, Step
from dagster_project.warehouse.connection import connect

log = logging.getLogger(__name__)

_DATABASE = "drill"
_ROOM = 1.3  # of the database's size: with the log of what is written


def drill(
    backup: Backup, scratch: Path, *, live: str, jobs: int, pg_bin: Path | None = None, then: Sequence[Step] = ()
) -> dict[str, Any]:
    """Restore a backup on a throw-away server, and keep beside it how that went.

    Args:
        scratch: a folder for the server, that no other program uses.
        live: the warehouse's URL, which the steps are told.
        pg_bin: folder with Postgres' programs, instead of the packaged ones.
        then: what a restore does on the new database.

    Returns:
        name, at, ok, fault, tables, rows, seconds (in all), parts (seconds of each part).
    """
    began = time.monotonic()
    result: dict[str, Any] = {"name": backup.name, "at": datetime.now(UTC).isoformat(), "ok": True, "fault": None}
    clock = Clock()
    with folder.alone(backup.path.parent):
        try:
            with _throwaway(scratch, backup, pg_bin) as url, contents.in_one_line(url):
                clock.lap("start")
                loaded = restore.load(url, _DATABASE, backup, jobs, pg_bin, clock)
                migrations.upgrade(loaded)
                for step in then:
                    step(loaded, live)
                with connect(loaded) as conn:
                    require_going_on(conn)
                clock.lap("migrate")
        except (BackupFailed, binaries.PostgresMissing, migrations.NewerWarehouse) as error:
            result |= {"ok": False, "fault": str(error)}
        held = contents.from_manifest(backup.manifest["tables"])
        result |= {"tables": len(held), "rows": contents.rows_of(held), "parts": clock.seconds}
        result["seconds"] = round(time.monotonic() - began, 1)
        backup.note_drill(result)
    return result


def require_going_on(conn: psycopg.Connection) -> None:
    """That the next sync and build go on where the backup ends: no sequence gives out again what a row has already.

    Raises:
        BackupFailed: one would.
    """
    # Serial and identity columns, each with the sequence that it owns.
    owned = conn.execute(
        """
        select format('%I.%I', places.nspname, pg_class.relname), attname::text, sequences.last_value
        from pg_depend
        inner join pg_class as sequence on sequence.oid = objid and sequence.relkind = 'S'
        inner join pg_namespace as sources on sources.oid = sequence.relnamespace
        inner join pg_sequences as sequences
            on (sequences.schemaname, sequences.sequencename) = (sources.nspname, sequence.relname)
        inner join pg_class on pg_class.oid = refobjid
        inner join pg_namespace as places on places.oid = pg_class.relnamespace
        inner join pg_attribute on attrelid = refobjid and attnum = refobjsubid
        where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and deptype in ('a', 'i')
        """
    ).fetchall()
    for table, column, last in owned:
        query = "select coalesce(max({}) > %s, false) from {}"
        known = conn.execute(
            sql.SQL(query).format(sql.Identifier(column), sql.SQL(table)), [last if last is not None else 0]
        ).fetchone()
        if known == (True,):
            raise BackupFailed(f"the sequence of {table}.{column} would give out numbers that rows have already")


@contextlib.contextmanager
def _throwaway(scratch: Path, backup: Backup, pg_bin: Path | None) -> Iterator[str]:
    """A server of its own, taken down and gone at the end; one that a killed drill left is used up first."""
    with binaries.home_of(scratch) as home:
        place = home.path
    folder.require_space(place.parent, int(backup.manifest["database_bytes"] * _ROOM), "a drill")
    try:
        with embedded.running(scratch, pg_bin=pg_bin, throwaway=True) as url:
            yield url
    finally:
        folder.remove(place)
