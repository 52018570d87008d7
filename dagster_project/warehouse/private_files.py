"""Folders and files that hold secrets: private from the moment they are made, and used only where they are ours.

A file is opened by its name inside a folder that is open already, and no symbolic link is followed: whoever can write
beside us cannot lead us elsewhere, nor read what we write.
"""

import contextlib
import os
import stat
from pathlib import Path
from typing import IO


class NotOurs(Exception):
    """A folder or file stands where ours should, and somebody else made it or can write to it; the text says which."""


class PrivateFolder:
    """A folder of ours, held open; it is made where it is missing.

    Args:
        path: where it is.

    Raises:
        NotOurs: what stands there is a link, or not ours alone.
        OSError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make(path)
        self._fd = _opened(path, os.O_RDONLY | os.O_DIRECTORY, {os.geteuid()})

    def __enter__(self) -> "PrivateFolder":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def close_to_others(self, but_for_group: int | None = None) -> "PrivateFolder":
        """Let nobody else in. The members of one group may go through it, but neither list nor write it."""
        if but_for_group is not None:
            os.fchown(self._fd, -1, but_for_group)
        os.fchmod(self._fd, 0o700 if but_for_group is None else 0o710)
        return self

    def open(self, name: str) -> IO[str]:
        """A file in it, to read and write, made where missing; nothing of it is lost by opening it.

        Raises:
            NotOurs: it is a link, or not ours.
        """
        return os.fdopen(self._open(name, os.O_RDWR | os.O_CREAT), "r+")

    def read(self, name: str) -> str | None:
        """What a file in it says; None: there is none."""
        try:
            with os.fdopen(self._open(name, os.O_RDONLY)) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        """Put a file into it, whole or not at all."""
        new = f"{name}.{os.getpid()}"
        self.remove(new)
        with os.fdopen(self._open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w") as file:
            file.write(text)
        os.replace(new, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def remove(self, name: str) -> None:
        """Take a file out of it; nothing happens where there is none."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._fd)

    def give_folder(self, name: str, uid: int, gid: int) -> None:
        """Make a folder in it that belongs to an account, and to nobody else."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=self._fd)
        folder = _opened(self.path / name, os.O_RDONLY | os.O_DIRECTORY, {os.geteuid(), uid}, self._fd)
        os.fchown(folder, uid, gid)
        os.close(folder)

    def _open(self, name: str, flags: int) -> int:
        return _opened(self.path / name, flags, {os.geteuid()}, self._fd)


def make(path: Path) -> None:
    """Make a folder that is open to its owner alone, where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def append(path: Path, text: str, owner: int) -> None:
    """Add to a file in a folder of another account, which could have put a link there meanwhile.

    Raises:
        NotOurs: it is a link, or not that account's.
    """
    with os.fdopen(_opened(path, os.O_WRONLY | os.O_APPEND, {owner}), "a") as file:
        file.write(text)


def only_root_can_write(path: Path) -> bool:
    """Whether nobody but root can put anything at a path, or at a folder above it."""
    real = path.resolve()
    steps = [step.lstat() for step in (real, *real.parents) if step.exists()]
    return all(step.st_uid == 0 and not step.st_mode & 0o022 for step in steps)


def _opened(path: Path, flags: int, owners: set[int], folder: int | None = None) -> int:
    """Open a file or folder, by its name where the folder it is in is open, if it belongs to one of the owners."""
    try:
        # Without waiting: somebody could have put a named pipe there.
        fd = os.open(path if folder is None else path.name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NotOurs(f"{path} cannot be used: {error.strerror}") from None
    if fault := _fault(os.fstat(fd), owners):
        os.close(fd)
        raise NotOurs(f"{path} is not ours: {fault}; delete it, or set B2CHAT_DATA_DIR to another folder")
    return fd


def _fault(found: os.stat_result, owners: set[int]) -> str | None:
    if found.st_uid not in owners:
        return f"it belongs to the account {found.st_uid}"
    if found.st_mode & 0o002:
        return "everybody can write to it"
    if not stat.S_ISDIR(found.st_mode) and (found.st_nlink != 1 or not stat.S_ISREG(found.st_mode)):
        return "it is not a plain file with one name"
    return None
