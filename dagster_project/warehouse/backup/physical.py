"""Physical backups: the server's own files whole, then what changed since (Postgres 17 and newer), put together again.

They cost what changed, where a dump costs all; and they go back into a server of the same version alone, by its folder.
Each is a folder of pg_basebackup's in `physical`, with its manifest and checksums, and what is told of it beside.
"""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from dagster_project.warehouse import binaries
from dagster_project.warehouse.backup import contents, folder, programs
from dagster_project.warehouse.backup.folder import BackupFailed
from dagster_project.warehouse.connection import connect

SINCE = 17
_FOLDER, _ABOUT, _MANIFEST = "physical", "b2chat.json", "backup_manifest"
_CHAIN = timedelta(days=7)  # after which a whole one begins a new chain
_ROOM_FOR_CHANGES = 0.1  # of the server's size, where only what changed is written


@dataclass(frozen=True)
class Physical:
    """A physical backup."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def about(self) -> dict[str, Any]:
        """base (the name of the one that it needs, or None), began_at, finished_at, seconds, bytes, server."""
        about: dict[str, Any] = json.loads((self.path.parent / f"{self.name}.{_ABOUT}").read_text())
        return about


def listed(root: Path) -> list[Physical]:
    """The whole ones of a folder of backups, newest first."""
    place = root / _FOLDER
    names = sorted((path.name for path in place.glob("*") if path.is_dir()), reverse=True) if place.is_dir() else []
    return [Physical(place / name) for name in names if (place / f"{name}.{_ABOUT}").is_file()]


def chosen(root: Path, name: str | None) -> Physical:
    """The one of a name, or whose name begins so; by default the newest. Raises BackupFailed."""
    return folder.one_of(listed(root), name, "incremental backup", root)


def chain_of(root: Path, one: Physical) -> list[Physical]:
    """The backups that one is put together from, the whole one first."""
    by_name = {other.name: other for other in listed(root)}
    chain = [one]
    while base := chain[0].about["base"]:
        if base not in by_name:
            raise BackupFailed(f"{one.name} needs {base}, which is gone")
        chain.insert(0, by_name[base])
    return chain


def back_up(url: str, root: Path, *, keep_days: int, pg_bin: Path | None = None) -> Physical:
    """Back up what changed since the last physical backup; a week after the last whole one, all of it.

    Raises:
        BackupFailed: the server is too old or not set up for it; one line that says how to.
    """
    began, clock = datetime.now(UTC), time.monotonic()
    with contents.in_one_line(url), folder.alone(root), connect(url) as conn:
        _require_able(conn)
        tools = programs.of_server(conn, pg_bin)
        server, size = conn.execute(
            "select (select system_identifier::text from pg_control_system()), sum(pg_database_size(oid)) "
            "from pg_database"
        ).fetchall()[0]
        last = next((one for one in listed(root) if one.about["server"] == server), None)
        base = last if last and _begun(chain_of(root, last)[0]) > began - _CHAIN else None
        room = int(int(size) * (_ROOM_FOR_CHANGES if base else 1.05))
        folder.require_space(root, room, "a physical backup")
        name = folder.new_name(began)
        work = root / f"{folder.UNFINISHED}{name}"
        try:
            with folder.in_one_line(root):
                work.mkdir(mode=0o700)
                changes = [f"--incremental={base.path / _MANIFEST}"] if base else []
                arguments = [f"--pgdata={work / 'data'}", "--wal-method=stream", "--checkpoint=fast", "--no-password"]
                tools.run("pg_basebackup", arguments + changes, url, work, "b2chat backup")
                place = root / _FOLDER
                place.mkdir(mode=0o700, exist_ok=True)
                about = {
                    "base": base.name if base else None,
                    "began_at": began.isoformat(),
                    "finished_at": datetime.now(UTC).isoformat(),
                    "seconds": round(time.monotonic() - clock, 1),
                    "bytes": folder.size_of(work),
                    "server": server,
                }
                (work / "data").rename(place / name)
                folder.write(place / f"{name}.{_ABOUT}", json.dumps(about, indent=1))
        finally:
            folder.remove(work)
        _delete_old(root, keep_days, began)
    return Physical(place / name)


def put_together(root: Path, one: Physical, target: Path, pg_bin: Path | None = None) -> None:
    """Make the data folder of a server from a backup and those that it needs, and check each of its files.

    Args:
        target: a folder that is not there yet; it belongs to the account that runs the embedded server.

    Raises:
        BackupFailed: it cannot be made, or a file is not what it was; nothing is left of it.
    """
    if target.exists():
        raise BackupFailed(f"{target} is there already")
    found = binaries.find(pg_bin)
    chain = chain_of(root, one)
    with folder.alone(root), folder.in_one_line(target):
        folder.require_space(target.parent, sum(part.about["bytes"] for part in chain), "what is put together")
        try:
            for part in chain:
                _run(found.folder, "pg_verifybackup", "--no-parse-wal", "--quiet", part.path)
            if len(chain) > 1:
                _run(found.folder, "pg_combinebackup", "--output", target, *(part.path for part in chain))
            else:
                shutil.copytree(chain[0].path, target)
            target.chmod(0o700)
            for place, folders, files in os.walk(target):
                for name in (".", *folders, *files):
                    os.chown(Path(place, name), *found.owner)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise


def _require_able(conn: psycopg.Connection) -> None:
    version = conn.info.server_version // 10000
    if version < SINCE:
        raise BackupFailed(
            f"this is Postgres {version}, and incremental backups need {SINCE}: `b2chat backup` dumps it"
        )
    is_on, may = conn.execute(
        "select current_setting('summarize_wal')::boolean, rolsuper or rolreplication "
        "from pg_roles where rolname = current_user"
    ).fetchall()[0]
    if not may:
        raise BackupFailed(f"this user may not copy the server: `alter role {conn.info.user} replication`")
    if not is_on:
        raise BackupFailed(
            "the server does not note what changes: an administrator runs `alter system set summarize_wal = on` and "
            "`select pg_reload_conf()`"
        )


def _begun(one: Physical) -> datetime:
    return datetime.fromisoformat(one.about["began_at"])


def _delete_old(root: Path, keep_days: int, now: datetime) -> None:
    """Delete whole chains, once their newest is older than it is kept."""
    found = listed(root)
    needed = {
        part.name for one in found if _begun(one) > now - timedelta(days=keep_days) for part in chain_of(root, one)
    }
    for one in found[1:]:
        if one.name not in needed:
            (one.path.parent / f"{one.name}.{_ABOUT}").unlink()
            folder.delete(root, one.path)


def _run(place: Path, program: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [place / program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise BackupFailed(f"{program}: {said[0].partition('error: ')[2] or said[0]}")
