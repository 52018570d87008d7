"""Makes a backup: pg_dump and the manifest see the same snapshot, and the backup gets its name when it is whole."""

import logging
import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from dagster_project.warehouse import migrations
from dagster_project.warehouse.backup import contents, folder, globals, programs
from dagster_project.warehouse.backup.folder import Backup, BackupFailed
from dagster_project.warehouse.connection import connect, has_relation

log = logging.getLogger(__name__)

FORMAT = 1
SESSION = "b2chat backup"  # how the server knows pg_dump's sessions
_WAIT_FOR_LOCKS = 60_000  # ms: a table that is being exchanged is waited for so long
_TRIES = 3  # a table that a build drops between two looks at the catalogue ends a dump
_GUESS = 0.3  # of the database's size: what a compressed dump takes at most, where there is none to go by


@dataclass(frozen=True)
class Made:
    """A backup that was made, and what made room for it."""

    backup: Backup
    deleted: list[str]


def make(
    url: str,
    root: Path,
    *,
    keep_days: int,
    jobs: int,
    beside: Sequence[Path] = (),
    pg_bin: Path | None = None,
) -> Made:
    """Back a database up into a folder, then delete what is older than it is kept.

    Args:
        url: the database.
        root: the folder of backups.
        jobs: how many tables are dumped at a time.
        beside: files that a restored warehouse needs too, where they are there.
        pg_bin: folder with pg_dump, instead of the packaged one.

    Raises:
        BackupFailed: nothing is left of it, and nothing older was deleted; one line.
    """
    with contents.in_one_line(url), folder.alone(root), connect(url) as conn:
        tools = programs.of_server(conn, pg_bin)
        folder.require_space(root, _guess(conn, root), "a backup")
        for left in range(_TRIES - 1, -1, -1):
            try:
                backup = _make(url, root, tools, jobs, beside)
                break
            except BackupFailed as error:
                if not left or "does not exist" not in str(error):
                    raise
                log.info("a table was exchanged while the backup began: it begins again")
        return Made(backup, folder.delete_old(root, keep_days, datetime.now(UTC)))


def _make(url: str, root: Path, tools: programs.Programs, jobs: int, beside: Sequence[Path]) -> Backup:
    began, clock = datetime.now(UTC), time.monotonic()
    name = folder.new_name(began)
    work = root / f"{folder.UNFINISHED}{name}"
    try:
        with folder.in_one_line(root), connect(url) as conn:
            work.mkdir(mode=0o700)
            conn.isolation_level, conn.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
            conn.execute("select set_config('lock_timeout', %s, false)", [f"{_WAIT_FOR_LOCKS}ms"])
            held = _dump(conn, url, work, tools, jobs)
            about = _about(conn)
            for file in beside:
                if file.is_file():
                    (work / folder.BESIDE).mkdir(mode=0o700, exist_ok=True)
                    shutil.copyfile(file, work / folder.BESIDE / file.name)
            seconds = round(time.monotonic() - clock, 1)
            manifest = {
                "format": FORMAT,
                "began_at": began.isoformat(),
                "finished_at": datetime.now(UTC).isoformat(),
                "seconds": seconds,
                "rows": contents.rows_of(held),
                "bytes": folder.size_of(work),
                "tables": held,
            }
            backup = folder.finish(work, manifest | about, name)
    except BaseException:
        folder.remove(work)
        raise
    log.info(
        "backup %s: %s, %s rows, in %s s",
        name,
        folder.shown(backup.bytes),
        f"{manifest['rows']:,}",
        manifest["seconds"],
    )
    return backup


def _dump(conn: psycopg.Connection, url: str, work: Path, tools: programs.Programs, jobs: int) -> contents.Contents:
    """Let pg_dump write what the transaction of `conn` sees, while that reads what each table holds."""
    stopped = threading.Event()
    snapshot = conn.execute("select pg_export_snapshot()").fetchall()[0][0]
    arguments = [
        "--format=directory",
        f"--file={work / folder.DUMP}",
        f"--jobs={jobs}",
        f"--compress={tools.compression}",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={_WAIT_FOR_LOCKS}",
        "--no-publications",
        "--no-subscriptions",
        "--no-password",
    ]

    def go_on(_: str) -> None:
        if stopped.is_set():
            raise BackupFailed("pg_dump has failed")

    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(contents.read, conn, go_on)

        def look() -> None:
            if reading.done():
                reading.result()
            log.info("backup: %s written", folder.shown(folder.size_of(work)))

        try:
            tools.run("pg_dump", arguments, url, work, SESSION, look)
        except BaseException:
            stopped.set()
            conn.cancel()
            raise
        return reading.result()


def _about(conn: psycopg.Connection) -> dict[str, Any]:
    """What a restore has to know: where it comes from, who has rights in it, and what lies outside of it."""
    name, user, size = conn.execute(
        "select current_database(), current_user::text, pg_database_size(current_database())"
    ).fetchall()[0]
    archives = []
    if has_relation(conn, "ops.archives"):
        archives = conn.execute("select object_key, sha256 from ops.archives where sha256 is not null").fetchall()
    revision = None
    if has_relation(conn, "ops.alembic_version"):
        revision = conn.execute("select max(version_num) from ops.alembic_version").fetchall()[0][0]
    return {
        "database": name,
        "user": user,
        "database_bytes": size,
        "server_version": conn.info.server_version,
        "revision": revision or migrations.newest(),
        "archives": archives,
        **globals.read(conn),
    }


def _guess(conn: psycopg.Connection, root: Path) -> int:
    """Bytes that the next backup takes: as the last one and a fifth, else a share of the database."""
    if last := folder.listed(root)[:1]:
        return int(last[0].bytes * 1.2)
    return int(conn.execute("select pg_database_size(current_database())").fetchall()[0][0] * _GUESS)
