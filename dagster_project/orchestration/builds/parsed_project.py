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
    if file := _newest(kept):
        copy(file, folder / FILE)


def copy(file: Path, to: Path) -> None:
    """Copy a file whole or not at all, where it is there."""
    if file.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        half = to.with_name(f"{to.name}.{os.getpid()}")
        shutil.copyfile(file, half)  # not with its mode: dbt writes into a folder that is open to others
        half.replace(to)


def read_ahead(kept: Path) -> None:
    """Read what `bring` would lay there, in this process; dbt takes it if it is the same by then.

    Args:
        kept: as for `bring`.
    """
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415  seconds
    from dbt.parser.manifest import extended_mashumuro_decoder  # noqa: PLC0415

    if not (file := _newest(kept)):
        return
    read, data = Manifest.from_msgpack, file.read_bytes()
    try:
        ahead = [read(data, decoder=extended_mashumuro_decoder)]
    except Exception:  # of another version of dbt, or broken: dbt will parse anew, as it does without us
        return

    def from_msgpack(found: Any, **options: Any) -> Any:
        return ahead.pop() if ahead and found == data else read(found, **options)

    Manifest.from_msgpack = from_msgpack  # type: ignore[assignment, method-assign, misc]


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


def _newest(kept: Path) -> Path | None:
    found = [file for file in (kept, _OF_INSTALL) if file.exists()]
    return max(found, key=lambda file: file.stat().st_mtime, default=None)
