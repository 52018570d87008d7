"""Copies of backups in a bucket, so that the loss of a machine with its disks is not the loss of its backups.

A backup's files lie under its name, numbered as SHA256SUMS lists them, and that list goes up last: a copy without it is
none. One that was interrupted is cleared away when it is a day old, for another machine may be copying.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Protocol

from dagster_project.warehouse.backup import folder
from dagster_project.warehouse.backup.folder import SUMS, Backup, BackupFailed

log = logging.getLogger(__name__)

_PLACE, _LIST = "backups", "sums.txt"
_MAX_PARALLEL = 4  # files
_TYPE = "application/octet-stream"


class CopyStore(Protocol):
    """A bucket that can be listed."""

    @property
    def name(self) -> str:
        """Which it is, for a log."""

    def put(self, key: str, file: Path, file_name: str, media_type: str) -> None:
        """Copy a file into it, whole or not at all."""

    def get(self, key: str, file: Path) -> None:
        """Copy an object into a file."""

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens where there is none."""

    def sizes(self, start: str) -> dict[str, int]:
        """The objects whose keys begin so, with their bytes."""


def listed(store: CopyStore) -> list[str]:
    """The names of the whole copies, newest first."""
    return _whole(store.sizes(f"{_PLACE}/"))


def copy(store: CopyStore, backup: Backup, keep_days: int) -> list[str]:
    """Copy a backup into the bucket, and delete copies that are older than they are kept, but for the newest.

    Returns:
        the names of those that were deleted.
    """
    if backup.name not in listed(store):
        names = _names((backup.path / SUMS).read_text())

        def put(number: int) -> None:
            file = backup.path / names[number]
            store.put(_key(backup.name, number), file, file.name, _TYPE)

        with ThreadPoolExecutor(_MAX_PARALLEL) as several:
            list(several.map(put, range(len(names))))
        store.put(f"{_PLACE}/{backup.name}/{_LIST}", backup.path / SUMS, _LIST, _TYPE)
        log.info("backup %s: copied to %s, %s", backup.name, store.name, folder.shown(backup.bytes))
    return _clear(store, keep_days, datetime.now(UTC))


def fetch(store: CopyStore, root: Path, name: str) -> Backup:
    """Copy a backup back into the folder of backups, each file checked against its sum.

    Args:
        name: one of `listed`.

    Raises:
        BackupFailed: it does not fit on the disk, or is not what was copied.
    """
    sizes = store.sizes(f"{_PLACE}/{name}/")
    with folder.alone(root), folder.in_one_line(root):
        folder.require_space(root, sum(sizes.values()), "a copy of the backup")
        work = root / f"{folder.UNFINISHED}{name}"
        work.mkdir(mode=0o700)
        store.get(f"{_PLACE}/{name}/{_LIST}", work / SUMS)
        names = _names((work / SUMS).read_text())

        def get(number: int) -> None:
            file = work / names[number]
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            store.get(_key(name, number), file)
            file.chmod(0o600)

        with ThreadPoolExecutor(_MAX_PARALLEL) as several:
            list(several.map(get, range(len(names))))
        if faults := Backup(work).faults():
            raise BackupFailed(f"the copy of {name} in {store.name}: {'; '.join(faults[:3])}")
        (work / SUMS).chmod(0o600)
        work.rename(root / name)
    log.info("backup %s: fetched from %s", name, store.name)
    return Backup(root / name)


def chosen(store: CopyStore | None, root: Path, name: str | None) -> Backup:
    """The backup of a name, which may be shortened, in the folder or else in the bucket; by default the newest of both.

    Raises:
        BackupFailed: there is none, or several begin so.
    """
    here = [backup.name for backup in folder.listed(root)]
    away = [one for one in listed(store) if one not in here] if store else []
    found = folder.one_of([_Name(one) for one in sorted(here + away, reverse=True)], name, "backup", root)
    return fetch(store, root, found.name) if store and found.name in away else Backup(root / found.name)


class _Name(str):
    """A name that is looked for as a backup is."""

    @property
    def name(self) -> str:
        return self


def _whole(there: dict[str, int]) -> list[str]:
    return sorted({key.split("/")[1] for key in there if key.endswith(f"/{_LIST}")}, reverse=True)


def _clear(store: CopyStore, keep_days: int, now: datetime) -> list[str]:
    """Delete what is older than it is kept, and what was interrupted and is not gone on with."""
    there = store.sizes(f"{_PLACE}/")
    whole = _whole(there)
    oldest = f"{now - timedelta(days=keep_days):%Y%m%d-%H%M%S}"
    old = [name for name in whole[1:] if name < oldest]
    interrupted = {key.split("/")[1] for key in there} - set(whole)
    torn = [name for name in interrupted if name < f"{now - timedelta(days=1):%Y%m%d-%H%M%S}"]
    for name in (*old, *torn):
        store.delete(f"{_PLACE}/{name}/{_LIST}")  # from now on it is none
        for key in there:
            if key.startswith(f"{_PLACE}/{name}/"):
                store.delete(key)
    return old


def _names(sums: str) -> Sequence[str]:
    """The files that a list of sums names, in its order."""
    names = [line.partition("  ")[2] for line in sums.splitlines()]
    if any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in names):
        raise BackupFailed("a copy names a file outside of its folder")
    return names


def _key(name: str, number: int) -> str:
    return f"{_PLACE}/{name}/{number:06d}.part"
