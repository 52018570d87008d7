"""Restores a backup: into a new database, which takes the name of the one it replaces when all of it is there.

Nothing that stands is touched before that. What was killed is run again: a new database that is loaded is used, one
that is not is made anew.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from dagster_project.warehouse import conninfo, migrations
from dagster_project.warehouse.access import roles
from dagster_project.warehouse.backup import carried, contents, folder, globals, programs
from dagster_project.warehouse.backup.folder import Backup, BackupFailed
from dagster_project.warehouse.connection import connect, has_relation

log = logging.getLogger(__name__)

SESSION = "b2chat restore"
_MAX_NAME_LENGTH = 63
_TRIES = 10  # at the exchange of names, against sessions that come back

# What is to be done on the new database before it takes the old one's name: with its URL and that of the old one.
Step = Callable[[str, str], None]


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes:
        database: the name that the restored database has now.
        kept_as: what the database that had that name is called now; None where it was empty, and is gone.
        seconds: how long each part took.
    """

    backup: str
    database: str
    kept_as: str | None
    seconds: dict[str, float] = field(default_factory=dict)


def restore(
    url: str,
    backup: Backup,
    *,
    jobs: int,
    replace: bool = False,
    pg_bin: Path | None = None,
    beside: Path | None = None,
    then: Sequence[Step] = (),
) -> Restored:
    """Restore a backup in place of the database at `url`.

    Args:
        jobs: how many tables are loaded at a time.
        replace: whether that database may hold something; it is kept under another name.
        pg_bin: folder with pg_restore, instead of the packaged one.
        beside: where the files beside the dump go that are not there.
        then: what is done on the new database once it is loaded and migrated, before it takes the name.

    Raises:
        BackupFailed: the database at `url` is as it was; one line.
    """
    with contents.in_one_line(url), folder.alone(backup.path.parent):
        with connect(url, autocommit=True) as conn:
            name = conn.execute("select current_database()").fetchall()[0][0]
            is_empty = _is_empty(conn)
        if not is_empty and not replace:
            raise BackupFailed(
                f"the database {name} holds tables with data: `--replace` restores all the same, and keeps it under "
                "another name"
            )
        new = f"{name[: _MAX_NAME_LENGTH - 10]}_restoring"
        clock = Clock()
        new_url = load(url, new, backup, jobs, pg_bin, clock)
        migrations.upgrade(new_url)
        with connect(new_url, autocommit=True) as conn:
            roles.restore(conn)
        if not is_empty:
            carried.carry_over(url, new_url, datetime.fromisoformat(backup.manifest["began_at"]))
        if beside:
            _put_beside(backup, beside)
        for step in then:
            step(new_url, url)
        clock.lap("migrate")
        kept_as = f"{name[: _MAX_NAME_LENGTH - 16]}_{datetime.now(UTC):%Y%m%d_%H%M%S}"
        _exchange(url, name, new, kept_as, backup.manifest)
        if is_empty:
            with connect(url, autocommit=True) as conn:
                conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(kept_as)))
        clock.lap("exchange")
        return Restored(backup.name, name, None if is_empty else kept_as, clock.seconds)


class Clock:
    """Seconds of each part of a restore."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, part: str) -> None:
        now = time.monotonic()
        self.seconds[part], self._last = round(now - self._last, 1), now


def load(url: str, new: str, backup: Backup, jobs: int, pg_bin: Path | None, clock: "Clock | None" = None) -> str:
    """Load a backup into a database of its own on the server of `url`; returns its URL.

    All files are checked first, and all tables are compared with the manifest afterwards.

    Raises:
        BackupFailed: a file or a table is not what it was; the database is gone again.
    """
    clock = clock or Clock()
    new_url = conninfo.to_url(conninfo.read(url) | {"dbname": new})
    with connect(url, autocommit=True) as conn:
        tools = programs.of_server(conn, pg_bin, to_restore=True)
        if _stage(conn, new) == backup.name:
            log.info("restore: %s was loaded already, by a run that was killed", backup.name)
            return new_url
        if faults := backup.faults():
            raise BackupFailed(f"backup {backup.name}: {'; '.join(faults[:3])}")
        clock.lap("check files")
        log.info("restore: the files of %s are what was written; loading", backup.name)
        globals.make_missing(conn, backup.manifest)
        _create(conn, new)
        try:
            _load(conn, new_url, backup, tools, jobs)
            clock.lap("load")
            with connect(new_url, autocommit=True) as loaded:
                loaded.execute("analyze")
                clock.lap("analyze")
                wanted = contents.from_manifest(backup.manifest["tables"])
                if faults := contents.differences(wanted, contents.read(loaded)):
                    more = f", and {len(faults) - 3} more tables" if len(faults) > 3 else ""
                    raise BackupFailed(f"backup {backup.name} came back otherwise: {'; '.join(faults[:3])}{more}")
            clock.lap("compare")
        except BaseException:
            _drop(conn, new)
            raise
        _note_stage(conn, new, backup.name)
    return new_url


def _load(conn: psycopg.Connection, new_url: str, backup: Backup, tools: programs.Programs, jobs: int) -> None:
    work = backup.path.parent / f"{folder.UNFINISHED}restore-{os.getpid()}"
    with folder.in_one_line(work.parent):
        work.mkdir(mode=0o700)
    try:
        chosen = work / "list"
        tools.run("pg_restore", ["--list", f"--file={chosen}", str(backup.path / folder.DUMP)], new_url, work, SESSION)
        is_same_user = conn.info.user == backup.manifest["user"] and globals.may_act_for_all(conn, backup.manifest)
        lines = _to_load(conn, chosen.read_text().splitlines())
        # What another user's new tables would be given is not ours to say; `roles.restore` says it of our own.
        folder.write(chosen, "\n".join(line for line in lines if is_same_user or " DEFAULT ACL " not in line))
        arguments = [
            "--format=directory",
            f"--jobs={jobs}",
            f"--use-list={chosen}",
            f"--dbname={make_conninfo(dbname=conninfo.read(new_url)['dbname'])}",  # a name may look like an address
            "--exit-on-error",
            "--no-tablespaces",
            "--no-password",
            *([] if is_same_user else ["--no-owner"]),
            str(backup.path / folder.DUMP),
        ]
        size = backup.manifest["database_bytes"]

        def look() -> None:
            there = conn.execute("select pg_database_size(%s)", [conninfo.read(new_url)["dbname"]]).fetchall()[0][0]
            log.info("restore: %s of about %s", folder.shown(there), folder.shown(size))

        tools.run("pg_restore", arguments, new_url, work, SESSION, look)
    finally:
        folder.remove(work)


def _to_load(conn: psycopg.Connection, lines: list[str]) -> list[str]:
    """The lines of the list without extensions that this server lacks, or that we may not make here."""
    usable = {
        name
        for (name,) in conn.execute(
            "select name from pg_available_extension_versions where trusted or superuser is false or "
            "(select rolsuper from pg_roles where rolname = current_user)"
        )
    }
    kept = []
    for line in lines:
        words = line.split()
        if "EXTENSION" in words and not line.startswith(";") and words[words.index("EXTENSION") + 1 :]:
            extension = next(word for word in words[words.index("EXTENSION") + 1 :] if word != "-")
            if extension not in usable:
                log.warning("restore: without the extension %s, which this server lacks or we may not make", extension)
                continue
        kept.append(line)
    return kept


def _is_empty(conn: psycopg.Connection) -> bool:
    """Whether nothing is lost with a database: no tables, or ours as migrations make them, with nothing read yet."""
    tables = conn.execute(
        "select count(*), count(*) filter (where nspname <> all(%s)) "
        "from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace "
        "where relkind in ('r', 'p', 'm') and relpersistence <> 't' and nspname !~ '^pg_' "
        "and nspname <> 'information_schema'",
        [[schema for schema in roles.SCHEMAS if schema not in roles.BUILT]],
    ).fetchall()[0]
    if tables[0] == 0:
        return True
    if tables[1] or not has_relation(conn, "ops.data_source"):
        return False
    return conn.execute("select not exists (select from ops.data_source)").fetchall() == [(True,)]


def _create(conn: psycopg.Connection, new: str) -> None:
    """Make the new database anew, of the same locale as the one we are in."""
    _drop(conn, new)
    locale = conn.execute("select datcollate, datctype from pg_database where datname = current_database()").fetchall()
    try:
        conn.execute(
            sql.SQL("create database {} template template0 encoding 'UTF8' lc_collate {} lc_ctype {}").format(
                sql.Identifier(new), *map(sql.Literal, locale[0])
            )
        )
        # Until it is whole it is nobody's but ours.
        conn.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(new)))
    except psycopg.errors.InsufficientPrivilege:
        raise BackupFailed(
            "this user may not make databases, and a restore needs a new one: an administrator runs "
            f"`alter role {conn.info.user} createdb`"
        ) from None


def _drop(conn: psycopg.Connection, database: str) -> None:
    """Drop a database, and end what a killed restore still writes there."""
    conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


def _stage(conn: psycopg.Connection, database: str) -> str | None:
    """The backup that a database was loaded from whole, by an earlier run."""
    row = conn.execute(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", [database]
    ).fetchone()
    return json.loads(row[0])["loaded"] if row and row[0] else None


def _note_stage(conn: psycopg.Connection, database: str, backup: str | None) -> None:
    text = json.dumps({"loaded": backup}) if backup else None
    conn.execute(sql.SQL("comment on database {} is {}").format(sql.Identifier(database), sql.Literal(text)))


def _exchange(url: str, name: str, new: str, kept_as: str, manifest: dict[str, Any]) -> None:
    """Give both databases their names, at once; whoever is connected to the old one is sent away."""
    with _outside(url, name) as conn:
        globals.put_on_database(conn, new, manifest)
        for left in range(_TRIES - 1, -1, -1):
            try:
                conn.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = any(%s) and pid <> pg_backend_pid()",
                    [[name, new]],
                )
                with conn.transaction():
                    conn.execute(_renaming(name, kept_as))
                    conn.execute(_renaming(new, name))
                break
            except psycopg.errors.ObjectInUse:
                if not left:
                    raise BackupFailed(
                        f"the database {name} is in use, and its sessions come back: stop the services, and restore "
                        "again; what is loaded is used"
                    ) from None
            except psycopg.errors.InsufficientPrivilege:
                raise BackupFailed(
                    f"this user may not rename the database {name}, or end its sessions: an administrator runs "
                    f"`alter database {name} owner to {conn.info.user}`, or ends them; then restore again"
                ) from None
        _note_stage(conn, name, None)


def _renaming(name: str, to: str) -> sql.Composed:
    return sql.SQL("alter database {} rename to {}").format(sql.Identifier(name), sql.Identifier(to))


@contextmanager
def _outside(url: str, name: str) -> Iterator[psycopg.Connection]:
    """A connection to a database of its own on the server, while this lasts: where we are, no name can be changed."""
    place = f"{name[: _MAX_NAME_LENGTH - 10]}_exchange"
    with connect(url, autocommit=True) as conn:
        _create(conn, place)
    with connect(conninfo.to_url(conninfo.read(url) | {"dbname": place}), autocommit=True) as conn:
        yield conn
    with connect(url, autocommit=True) as conn:
        _drop(conn, place)


def _put_beside(backup: Backup, target: Path) -> None:
    """Put the files beside the dump where they were, if they are not there: as the newest backup has them."""
    for one in folder.listed(backup.path.parent):
        for file in (one.path / folder.BESIDE).glob("*"):
            if not (target / file.name).exists():
                folder.write(target / file.name, file.read_text())
