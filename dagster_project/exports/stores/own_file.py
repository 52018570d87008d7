"""A file where its user wants it, in a store's place."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from dagster_project.exports.stores.contract import StoreFailed, manifest_key, reason_of


@dataclass(frozen=True)
class OwnFile:
    """One file where its user wants it, and its manifest beside it: outside any store, never deleted once finished."""

    NAME: ClassVar[str] = "file"

    path: Path
    _put: set[Path] = field(default_factory=set, compare=False, repr=False)

    @property
    def name(self) -> str:
        return self.NAME

    @property
    def scratch(self) -> Path:
        return self.path.parent

    def put(self, key: str, file: Path, file_name: str, media_type: str) -> None:
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
