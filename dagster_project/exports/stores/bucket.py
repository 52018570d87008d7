"""A bucket of S3, or of what speaks like it, as a store (extra s3)."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from dagster_project.exports.stores.contract import MAX_LINK_SECONDS, SCRATCH, StoreFailed, checked

_PART_ABOVE = 32 * 1024 * 1024  # bytes: a larger file goes up in parts
_RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}


@dataclass(frozen=True)
class Bucket:
    """A bucket of S3 or of what speaks like it; objects get no access of their own, so the bucket's stays: private."""

    bucket: str
    prefix: str = ""
    # What is not set is taken from AWS's own environment variables, or from the machine's role.
    credentials: dict[str, str | None] = field(default_factory=dict, repr=False)
    scratch: Path = Path(SCRATCH)

    @property
    def name(self) -> str:
        return "/".join(part for part in (f"s3://{self.bucket}", self.prefix.strip("/")) if part)

    def put(self, key: str, file: Path, file_name: str, media_type: str) -> None:
        attributes = {
            "Content-Type": media_type,
            "Content-Disposition": f'attachment; filename="{file_name}"',
        }
        how: dict[str, Any] = {"mode": "create"}
        if file.stat().st_size > _PART_ABOVE:  # in parts, which S3 cannot refuse to write over: the key is random
            how = {"chunk_size": _PART_ABOVE // 4, "max_concurrency": 2}
        with self._in_one_line(), file.open("rb") as source:
            obstore().put(self._store(), checked(key), source, attributes=attributes, **how)

    def get(self, key: str, file: Path) -> None:
        """Copy an object into a file, in parts. Raises StoreFailed."""
        with self._in_one_line(), file.open("wb") as target:
            for part in obstore().get(self._store(), checked(key)).stream(min_chunk_size=_PART_ABOVE // 4):
                target.write(part)

    def delete(self, key: str) -> None:
        with self._in_one_line():
            obstore().delete(self._store(), checked(key))

    def sizes(self, start: str) -> dict[str, int]:
        """The objects whose keys begin so, folder by folder, with their bytes. Raises StoreFailed."""
        with self._in_one_line():
            pages = obstore().list(self._store(), start)
            return {one["path"]: one["size"] for page in pages for one in page}

    def place(self, key: str) -> str:
        return f"{self.name}/{checked(key)}"

    def link(self, key: str, seconds: int) -> str:
        if not 0 < seconds <= MAX_LINK_SECONDS:
            raise StoreFailed(f"a link works for 1 to {MAX_LINK_SECONDS} seconds (7 days)")
        with self._in_one_line():
            obstore().head(self._store(), checked(key))
            return str(obstore().sign(self._store(), "GET", key, timedelta(seconds=seconds)))

    def _store(self) -> Any:
        from obstore.store import S3Store  # noqa: PLC0415  an extra

        given: dict[str, Any] = {name: value for name, value in self.credentials.items() if value}
        unencrypted = given.get("endpoint", "").startswith("http://")
        return S3Store(
            self.bucket,
            prefix=self.prefix.strip("/") or None,
            virtual_hosted_style_request="endpoint" not in given,
            client_options={"allow_http": unencrypted, "timeout": "300s", "connect_timeout": "15s"},
            retry_config=_RETRIES,
            **given,
        )

    @contextlib.contextmanager
    def _in_one_line(self) -> Iterator[None]:
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


def obstore() -> Any:
    """The package. Raises StoreFailed where it is not installed."""
    try:
        import obstore  # noqa: PLC0415  an extra
    except ImportError:
        raise StoreFailed("B2CHAT_EXPORTS_BUCKET needs the extra s3: pip install -e '.[s3]'") from None
    return obstore
