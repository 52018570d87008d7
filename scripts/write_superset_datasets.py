"""Write the columns of the Superset bundle's datasets from dbt: `python scripts/write_superset_datasets.py`."""

import json
from pathlib import Path
from typing import Any

import yaml

from dagster_project.orchestration.dbt_project import manifest
from dagster_project.settings import PROJECT_ROOT

BUNDLE = PROJECT_ROOT / "deploy" / "superset"
TYPES = {"timestamptz": "TIMESTAMP WITH TIME ZONE"}


def main() -> None:
    project = json.loads(manifest().read_text())
    for path in datasets():
        path.write_text(written(path, project))


def datasets() -> list[Path]:
    return sorted((BUNDLE / "datasets").rglob("*.yaml"))


def written(path: Path, project: dict[str, Any]) -> str:
    """A dataset's file with its mart's description and columns. What has an expression stays as it is.

    Args:
        path: the dataset's file.
        project: dbt's manifest.
    """
    dataset = yaml.safe_load(path.read_text())
    [mart] = [
        one for one in project["nodes"].values() if (one["schema"], one["alias"]) == ("marts", dataset["table_name"])
    ]
    dataset["description"] = " ".join(mart["description"].split())
    own = [column for column in dataset["columns"] if column["expression"]]
    dataset["columns"] = [_column(column) for column in mart["columns"].values()] + own
    text: str = yaml.safe_dump(dataset, sort_keys=False, allow_unicode=True, width=150)
    return text


def _column(column: dict[str, Any]) -> dict[str, Any]:
    kind = TYPES.get(column["data_type"], column["data_type"].upper())
    return {
        "column_name": column["name"],
        "type": kind,
        "is_dttm": kind.startswith(("DATE", "TIMESTAMP")),
        "expression": None,
        "description": " ".join(column["description"].split()),
    }


if __name__ == "__main__":
    main()
