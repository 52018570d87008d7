"""What a store of exports is, and the keys of what lies in one.

Keys are made here alone, of dates, ids and random bits: no name out of the data is ever part of one.
"""

import re
import secrets
from pathlib import Path
from typing import Protocol

MAX_LINK_SECONDS = 7 * 24 * 3600  # what S3 takes, and what we allow
SCRATCH = ".unfinished"
_KEY = re.compile(r"[a-z0-9][a-z0-9_/-]*(\.[a-z0-9]+){1,2}")
_WORD = re.compile(r"[a-z0-9_-]+")


class StoreFailed(Exception):
    """The store could not do what was asked; one line that says which store and why, without a credential."""


class ExportStore(Protocol):
    """A place for finished files. What it holds is private, and is never written over."""

    @property
    def name(self) -> str:
        """Which store it is, for the log: where it is, and nothing that opens it."""

    @property
    def scratch(self) -> Path:
        """The folder of this machine in which a file is written before it is put."""

    def put(self, key: str, file: Path, file_name: str, media_type: str) -> None:
        """Move a finished file into the store, whole or not at all.

        Args:
            key: one of `new_key`.
            file: it may be gone afterwards.
            file_name: the name that a browser saves it under.
            media_type: what a browser is told that it is.

        Raises:
            StoreFailed: the key is taken, the disk is full or the store does not answer.
        """

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens where there is none. Raises StoreFailed."""

    def place(self, key: str) -> str:
        """Where an object lies, without any right to read it."""

    def link(self, key: str, seconds: int) -> str:
        """An address that opens an object: of a folder its path, of a bucket a signed link, which is a secret.

        Args:
            key: the object's key.
            seconds: how long a signed link works; at most 604,800 (7 days).

        Raises:
            StoreFailed: there is no such object, or the time is longer than that.
        """


def new_key(kind: str, label: str, run_id: str, suffix: str) -> str:
    """A key that nobody can guess and no other export has: kind/label-run-random.suffix.

    Args:
        kind: what is exported, such as report.
        label: its period and whose chats it is about, such as 2026-01-05_2026-01-11-department-ven.
        run_id: whose run made it; its first eight characters.
        suffix: the file's ending.

    Raises:
        ValueError: a part holds anything but a-z, 0-9, _ and -.
    """
    parts = (kind, label, run_id[:8], suffix)
    if not all(_WORD.fullmatch(part) for part in parts):
        raise ValueError("a key is made of a-z, 0-9, _ and - alone")
    return f"{kind}/{label}-{run_id[:8]}-{secrets.token_hex(16)}.{suffix}"


def manifest_key(key: str) -> str:
    """The key of the manifest that lies beside an object."""
    return f"{key}.json"


def checked(key: str) -> str:
    if not _KEY.fullmatch(key) or "//" in key:
        raise StoreFailed("that is no key of an export")
    return key


def reason_of(error: OSError, place: Path) -> str:
    """A fault of the disk in one line."""
    return f"{place}: {(error.strerror or type(error).__name__).lower()}"


def make_private(folder: Path) -> None:
    """Make a folder, and what is missing above it, open to its owner alone."""
    for path in reversed([folder, *folder.parents]):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)
