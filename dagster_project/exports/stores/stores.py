"""Where exports are kept: a folder of this machine, or a bucket of S3 or what speaks like it.

Keys are made here alone, of dates, ids and random bits: no name out of the data is ever part of one.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from dagster_project.settings import Settings

MOST_LINK_SECONDS = 7 * 24 * 3600  # what S3 takes, and what we allow
_KEY = re.compile(r"[a-z0-9][a-z0-9_/-]*(\.[a-z0-9]+){1,2}")
_WORD = re.compile(r"[a-z0-9_-]+")
_AT_ONCE = 32 * 1024 * 1024  # bytes: above, a file goes up in parts
_RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
WORKSHOP = ".unfinished"
_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}


class StoreFailed(Exception):
    """The store could not do what was asked; one line that says which store and why, without a credential."""


class ExportStore(Protocol):
    """A place for finished files. What it holds is private, and is never written over."""

    @property
    def name(self) -> str:
        """Which store it is, for the records: where it is, and nothing that opens it."""

    @property
    def workshop(self) -> Path:
        """The folder of this machine in which a file is made before it is put."""

    def put(self, key: str, file: Path, file_name: str) -> None:
        """Move a finished file into the store, whole or not at all.

        Args:
            key: one of `new_key`.
            file: it may be gone afterwards.
            file_name: the name that a browser saves it under.

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


def store_of(settings: Settings) -> ExportStore:
    """The store that the settings name: the bucket, else the folder.

    Raises:
        StoreFailed: the bucket needs a package that is not installed.
    """
    if not settings.exports_bucket:
        return Folder(settings.exports_path)
    _obstore()
    secret = settings.exports_s3_secret_access_key
    credentials = {
        "access_key_id": settings.exports_s3_access_key_id,
        "secret_access_key": secret.get_secret_value() if secret else None,
        "region": settings.exports_s3_region,
        "endpoint": settings.exports_s3_endpoint,
    }
    workshop = settings.exports_path / WORKSHOP
    return Bucket(settings.exports_bucket, settings.exports_s3_prefix, credentials, workshop)


def new_key(kind: str, label: str, run_id: str, suffix: str) -> str:
    """A key that nobody can guess and no other export has: kind/label-run-random.suffix.

    Args:
        kind: what is exported, such as report.
        label: its period and whose chats it is about, such as 2026-01-05_2026-01-11-department-ven.
        run_id: whose run made it; its first eight signs.
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


@dataclass(frozen=True)
class Folder:
    """A folder of this machine, open to its owner alone."""

    root: Path

    @property
    def name(self) -> str:
        return f"folder:{self.root}"

    @property
    def workshop(self) -> Path:
        return self.root / WORKSHOP

    def put(self, key: str, file: Path, file_name: str) -> None:
        target = self._path(key)
        try:
            make_private(target.parent)
            if target.exists():
                raise StoreFailed(f"{key} is there already: exports are never written over")
            file.chmod(0o600)
            os.replace(file, target)
        except OSError as error:
            raise StoreFailed(reason_of(error, self.root)) from None

    def delete(self, key: str) -> None:
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise StoreFailed(reason_of(error, self.root)) from None

    def place(self, key: str) -> str:
        return str(self._path(key))

    def link(self, key: str, seconds: int) -> str:
        path = self._path(key)
        if not path.is_file():
            raise StoreFailed(f"{path} is not there")
        return str(path)

    def _path(self, key: str) -> Path:
        return self.root / _checked(key)


@dataclass(frozen=True)
class Bucket:
    """A bucket of S3 or of what speaks like it; objects get no access of their own, so the bucket's stays: private."""

    bucket: str
    prefix: str = ""
    # What is not set is taken from AWS's own environment variables, or from the machine's role.
    credentials: dict[str, str | None] = field(default_factory=dict, repr=False)
    workshop: Path = Path(WORKSHOP)

    @property
    def name(self) -> str:
        return "/".join(part for part in (f"s3://{self.bucket}", self.prefix.strip("/")) if part)

    def put(self, key: str, file: Path, file_name: str) -> None:
        attributes = {
            "Content-Type": _TYPES.get(key.rpartition(".")[2], "application/octet-stream"),
            "Content-Disposition": f'attachment; filename="{file_name}"',
        }
        how: dict[str, Any] = {"mode": "create"}
        if file.stat().st_size > _AT_ONCE:  # in parts, which S3 cannot refuse to write over: the key is random
            how = {"chunk_size": _AT_ONCE // 4, "max_concurrency": 2}
        with self._said(), file.open("rb") as source:
            _obstore().put(self._store(), _checked(key), source, attributes=attributes, **how)

    def delete(self, key: str) -> None:
        with self._said():
            _obstore().delete(self._store(), _checked(key))

    def place(self, key: str) -> str:
        return f"{self.name}/{_checked(key)}"

    def link(self, key: str, seconds: int) -> str:
        if not 0 < seconds <= MOST_LINK_SECONDS:
            raise StoreFailed(f"a link works for 1 to {MOST_LINK_SECONDS} seconds (7 days)")
        with self._said():
            _obstore().head(self._store(), _checked(key))
            return str(_obstore().sign(self._store(), "GET", key, timedelta(seconds=seconds)))

    def _store(self) -> Any:
        from obstore.store import S3Store  # noqa: PLC0415  an extra

        given: dict[str, Any] = {name: value for name, value in self.credentials.items() if value}
        plain = given.get("endpoint", "").startswith("http://")
        return S3Store(
            self.bucket,
            prefix=self.prefix.strip("/") or None,
            virtual_hosted_style_request="endpoint" not in given,
            client_options={"allow_http": plain, "timeout": "300s", "connect_timeout": "15s"},
            retry_config=_RETRIES,
            **given,
        )

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """What obstore raises, as one line: its own text holds the whole request and answer."""
        from obstore.exceptions import BaseError  # noqa: PLC0415  an extra

        try:
            yield
        except (BaseError, OSError) as error:
            kind = type(error).__name__.removesuffix("Error")
            raise StoreFailed(f"{self.name}: {_WHY.get(kind, 'no answer, or one that is not S3')}") from None


_WHY = {
    "PermissionDenied": "these credentials may not do that",
    "Unauthenticated": "these credentials are not known there",
    "NotFound": "there is no such bucket or object",
    "FileNotFound": "there is no such bucket or object",
    "AlreadyExists": "the key is taken",
}


@dataclass(frozen=True)
class OwnFile:
    """One file where its user wants it, and its manifest beside it: outside any store, never deleted once finished."""

    path: Path
    _put: set[Path] = field(default_factory=set, compare=False, repr=False)

    @property
    def name(self) -> str:
        return "file"

    @property
    def workshop(self) -> Path:
        return self.path.parent

    def put(self, key: str, file: Path, file_name: str) -> None:
        target = self._target(key)
        _require_free(target)
        try:
            os.replace(file, target)
        except OSError as error:
            raise StoreFailed(reason_of(error, target)) from None
        self._put.add(target)

    def delete(self, key: str) -> None:
        """Only what this export has just put, where it fails: all else is its user's."""
        target = self._target(key)
        if target in self._put:
            target.unlink(missing_ok=True)

    def require_free(self) -> None:
        """That neither the file nor its manifest is there. Raises StoreFailed."""
        _require_free(self.path)
        _require_free(self._target(manifest_key("")))

    def place(self, key: str) -> str:
        return str(self.path)

    def link(self, key: str, seconds: int) -> str:
        return str(self.path)

    def _target(self, key: str) -> Path:
        is_manifest = key.endswith(manifest_key(""))
        return self.path.with_name(manifest_key(self.path.name)) if is_manifest else self.path


def _require_free(path: Path) -> None:
    if path.exists():
        raise StoreFailed(f"{path} is there already: exports are never written over")


def reason_of(error: OSError, place: Path) -> str:
    """A fault of the disk in one line."""
    return f"{place}: {(error.strerror or type(error).__name__).lower()}"


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key) or "//" in key:
        raise StoreFailed("that is no key of an export")
    return key


def make_private(folder: Path) -> None:
    """Make a folder, and what is missing above it, open to its owner alone."""
    for path in reversed([folder, *folder.parents]):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)


def _obstore() -> Any:
    try:
        import obstore  # noqa: PLC0415  an extra
    except ImportError:
        raise StoreFailed("B2CHAT_EXPORTS_BUCKET needs the extra s3: pip install -e '.[s3]'") from None
    return obstore
