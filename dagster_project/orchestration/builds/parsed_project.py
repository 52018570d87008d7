"""What dbt parsed of the project, kept from one run to the next: parsing costs as long as a third of all models.

dbt takes it up only for the server, port, user and database that it was parsed for. Of these the project has the
database alone, in the names of its tables: so a kept project is moved to the database at hand.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from dagster_project.settings import PROJECT_ROOT

FILE = "partial_parse.msgpack"  # dbt's name
_OF_INSTALL = PROJECT_ROOT / "dbt" / "target" / FILE  # what `dbt_project.manifest` leaves


def bring(kept: Path, folder: Path) -> None:
    """Lay what was parsed last into a folder that dbt is to work in: by a build, or when the project was installed.

    Args:
        kept: where the last build's is; it may be missing.
    """
    if found := [file for file in (kept, _OF_INSTALL) if file.exists()]:
        copy(max(found, key=lambda file: file.stat().st_mtime), folder / FILE)


def copy(file: Path, to: Path) -> None:
    """Copy a file whole or not at all, where it is there."""
    if file.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        half = to.with_name(f"{to.name}.{os.getpid()}")
        shutil.copyfile(file, half)  # not with its mode: dbt writes into a folder that is open to others
        half.replace(to)


def fit_any_database() -> None:
    """Let dbt, in this process, take up a project that was parsed for another database."""
    from dbt.parser.manifest import ManifestLoader  # noqa: PLC0415  seconds

    is_parsable = ManifestLoader.is_partial_parsable

    def moved(self: Any, manifest: Any) -> Any:
        move(manifest, self.root_project.credentials.database)
        manifest.state_check.profile_hash = self.manifest.state_check.profile_hash
        return is_parsable(self, manifest)

    ManifestLoader.is_partial_parsable = moved  # type: ignore[method-assign]


def move(manifest: Any, database: str) -> None:
    """Name all tables of a parsed project as those of another database.

    Args:
        manifest: dbt's `Manifest`; it is changed.
    """
    disabled = (node for nodes in manifest.disabled.values() for node in nodes)
    relations = [one.node_relation for one in manifest.semantic_models.values()]
    for one in (*manifest.nodes.values(), *manifest.sources.values(), *disabled, *filter(None, relations)):
        own = f'"{getattr(one, "database", None)}".'
        if (getattr(one, "relation_name", None) or "").startswith(own):
            one.relation_name = f'"{database}".' + one.relation_name.removeprefix(own)
        if getattr(one, "database", None):
            one.database = database
