"""A folder of this machine as a store."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from dagster_project.exports.stores.contract import SCRATCH, StoreFailed, checked, make_private, reason_of


@dataclass(frozen=True)
class Folder:
    """A folder of this machine, open to its owner alone."""

    root: Path

    @property
    def name(self) -> str:
        return f"folder:{self.root}"

    @property
    def scratch(self) -> Path:
        return self.root / SCRATCH

    def put(self, key: str, file: Path, file_name: str, media_type: str) -> None:
        target = self._path(key)
        try:
            make_private(target.parent)
            if target.exists():
                raise StoreFailed(f"{key} is there already: exports are never written over")
            file.chmod(0o600)
            os.replace(file, target)
        except OSError as error:
            raise StoreFailed(reason_of(error, self.root)) from None

    def get(self, key: str, file: Path) -> None:
        """Copy an object into a file. Raises StoreFailed."""
        try:
            shutil.copyfile(self._path(key), file)
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
        return self.root / checked(key)
