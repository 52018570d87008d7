"""dagster-dbt as it is where dbt is not installed: beside dbt it imports half of it, a second in each process.

It wants a few names of dbt's, of which it has copies, and dbt's selection of nodes, which here is all of them. dbt
itself runs in a process of its own (`single_dbt.py`). So nothing of ours imports dagster-dbt but from here.
"""

import sys

_HIDDEN = "dbt.version"  # what dagster-dbt looks for

_imported = sys.modules.get(_HIDDEN)
sys.modules[_HIDDEN] = None  # type: ignore[assignment]  # makes an import an error
try:
    from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, DbtProject, dbt_assets
    from dagster_dbt.core import resource
    from dagster_dbt.errors import DagsterDbtCliRuntimeError
finally:
    del sys.modules[_HIDDEN]
    if _imported:
        sys.modules[_HIDDEN] = _imported

__all__ = [
    "DagsterDbtCliRuntimeError",
    "DagsterDbtTranslator",
    "DbtCliInvocation",
    "DbtCliResource",
    "DbtProject",
    "dbt_assets",
    "resource",
]
