"""The folder of backups: which there are, one maker at a time, what was killed cleared away, what is old deleted."""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dagster_project.warehouse.archive.files import sha256_of

UNFINISHED, _DELETED = ".unfinished-", ".deleted-"
DUMP, BESIDE, SUMS = "dump", "beside", "SHA256SUMS"
_MANIFEST, _DRILL, _LOCK = "manifest.json", "drill.json", ".lock"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


One = TypeVar("One", bound=_Named)


class BackupFailed(Exception):
    """A backup, a restore or a drill could not be done; one line that says why, without a row of the data."""


@dataclass(frozen=True)
class Backup:
    """A whole backup."""

    path: Path

    @property
    def name(self) -> str:
        """Its name: when it was begun (UTC), to a ten-thousandth of a second."""
        return self.path.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What it holds: see `make.py`."""
        manifest: dict[str, Any] = json.loads((self.path / _MANIFEST).read_text())
        return manifest

    @property
    def finished_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest["finished_at"])

    @property
    def drill(self) -> dict[str, Any] | None:
        """How its last drill went: see `drill.py`. None: there was none yet."""
        file = self.path / _DRILL
        return json.loads(file.read_text()) if file.exists() else None

    def note_drill(self, result: dict[str, Any]) -> None:
        """Keep how a drill went beside it."""
        write(self.path / _DRILL, json.dumps(result, indent=1))

    def faults(self) -> list[str]:
        """The files that are missing, or are not what was written: all are read."""
        found = []
        for line in (self.path / SUMS).read_text().splitlines():
            wanted, _, name = line.partition("  ")
            try:
                if sha256_of(self.path / name) != wanted:
                    found.append(f"{name} is not what was written")
            except OSError as error:
                found.append(f"{name}: {(error.strerror or 'cannot be read').lower()}")
        return found

    @property
    def bytes(self) -> int:
        return size_of(self.path)


def listed(root: Path) -> list[Backup]:
    """The whole backups of a folder, newest first."""
    if not root.is_dir():
        return []
    names = sorted((entry.name for entry in root.iterdir() if not entry.name.startswith(".")), reverse=True)
    return [Backup(root / name) for name in names if (root / name / SUMS).is_file()]


def chosen(root: Path, name: str | None) -> Backup:
    """The backup of a name, which may be shortened; by default the newest.

    Raises:
        BackupFailed: there is none, or several begin so.
    """
    return one_of(listed(root), name, "backup", root)


def one_of(backups: Sequence[One], name: str | None, what: str, root: Path) -> One:
    """The one of a name, which may be shortened; by default the first. Raises BackupFailed: see `chosen`."""
    found = [one for one in backups if one.name == name] or [one for one in backups if one.name.startswith(name or "")]
    if not found:
        raise BackupFailed(f"there is no {what} {name} in {root}" if name else f"there is no {what} in {root}")
    if name and len(found) > 1:
        raise BackupFailed(f"{len(found)} {what}s begin with {name}: say more of the name")
    return found[0]


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Nobody else backs up into this folder while this lasts; what a killed one has left there is cleared away.

    Raises:
        BackupFailed: somebody does, or the folder cannot be written.
    """
    with in_one_line(root):
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(lock):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFailed(f"another backup or drill is at work in {root}: wait for its end") from None
        for left in (*root.glob(f"{UNFINISHED}*"), *root.glob(f"{_DELETED}*")):
            remove(left)
        yield


def new_name(began: datetime) -> str:
    """A name that sorts by time (began: UTC), to a ten-thousandth of a second: one backup is made at a time."""
    return f"{began:%Y%m%d-%H%M%S}-{began.microsecond // 100:04d}"


def finish(unfinished: Path, manifest: dict[str, Any], name: str) -> Backup:
    """Write manifest and checksums, put all on the disk, and give the backup its name."""
    write(unfinished / _MANIFEST, json.dumps(manifest, indent=1))
    files = sorted(file for file in unfinished.rglob("*") if file.is_file())
    sums = "".join(f"{sha256_of(file)}  {file.relative_to(unfinished)}\n" for file in files)
    write(unfinished / SUMS, sums)
    for file in (*files, unfinished / SUMS):
        file.chmod(0o600)
        _to_disk(file)
    target = unfinished.with_name(name)
    for folder in (path for path in (unfinished, *unfinished.rglob("*")) if path.is_dir()):
        folder.chmod(0o700)
        _to_disk(folder)
    unfinished.rename(target)
    _to_disk(target.parent)
    return Backup(target)


def delete_old(root: Path, keep_days: int, now: datetime) -> list[str]:
    """Delete backups that are older; never the newest. Returns their names."""
    old = [one for one in listed(root)[1:] if one.finished_at < now - timedelta(days=keep_days)]
    for backup in old:
        delete(root, backup.path)
    return [backup.name for backup in old]


def delete(root: Path, backup: Path) -> None:
    """Delete a backup: from the first moment it is none any more, and what is killed meanwhile is cleared away."""
    gone = root / f"{_DELETED}{backup.name}"
    backup.rename(gone)
    remove(gone)


def remove(folder: Path) -> None:
    """Remove a folder. A program whose parent was killed may still write there: then it is tried again."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
    raise BackupFailed(f"{folder} cannot be removed")


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Raises BackupFailed where a disk has less room than that."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupFailed(f"{purpose} needs about {shown(needed)}, and {folder} has {shown(free)} left")


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total


def shown(size: float) -> str:
    """Bytes as a line bears them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit in ("bytes", "kB") else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} TB"


def write(file: Path, text: str) -> None:
    """Put a file, whole or not at all, open to its owner alone."""
    half = file.with_name(f".{file.name}.new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    half.replace(file)


@contextlib.contextmanager
def in_one_line(folder: Path) -> Iterator[None]:
    """A fault of the disk as one line."""
    try:
        yield
    except OSError as error:
        raise BackupFailed(f"{folder}: {(error.strerror or type(error).__name__).lower()}") from None


def _to_disk(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
