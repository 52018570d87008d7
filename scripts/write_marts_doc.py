"""Write docs/marts.md, the marts column by column, from dbt's manifest: `python scripts/write_marts_doc.py`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dagster_project.orchestration.dbt_project import manifest
from dagster_project.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "marts.md"
HEAD = """\
# The marts, column by column

Written by `python scripts/write_marts_doc.py` from the dbt project: edit the models' yml files, not this page. The
database holds the same descriptions. [What each number tells](metrics.md) goes from a question to a column,
[decisions](decisions.md) has the definitions. Times are in seconds unless the name says otherwise. No data is NULL with
a count of 0.
"""


def main() -> None:
    PAGE.write_text(page(json.loads(manifest().read_text())))


def page(project: dict[str, Any]) -> str:
    """The page of a dbt manifest: a chapter per folder of marts, a section per mart."""
    marts = [
        node
        for node in project["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "marts" and node["access"] == "public"
    ]
    folders = {_folder(mart) for mart in marts}
    chapters = [(folder, [mart for mart in marts if _folder(mart) == folder]) for folder in sorted(folders)]
    return "\n".join(line for part in (HEAD.splitlines(), _contents(chapters), _chapters(chapters)) for line in part)


def _contents(chapters: list[tuple[str, list[dict[str, Any]]]]) -> Iterator[str]:
    yield ""
    yield "| table | one row is | it answers |"
    yield "|---|---|---|"
    for _, marts in chapters:
        for mart in sorted(marts, key=_name):
            yield f"| [`{_name(mart)}`](#{_name(mart)}) | {_cell(_grain(mart))} | {_cell(_question(mart))} |"


def _chapters(chapters: list[tuple[str, list[dict[str, Any]]]]) -> Iterator[str]:
    for folder, marts in chapters:
        yield ""
        yield f"## {folder.replace('_', ' ').capitalize()}"
        for mart in sorted(marts, key=_name):
            yield from ("", f"### {_name(mart)}", "", *_asked(mart), _text(mart["description"]), "")
            yield "| column | type | what it is |"
            yield "|---|---|---|"
            for column in mart["columns"].values():
                yield f"| `{column['name']}` | {column['data_type']} | {_cell(column['description'])} |"
    yield ""


def _asked(mart: dict[str, Any]) -> list[str]:
    return [f"*{_question(mart)}*", ""] if _question(mart) else []


def _question(mart: dict[str, Any]) -> str:
    return str(mart["config"]["meta"].get("question", ""))


def _grain(mart: dict[str, Any]) -> str:
    """What a row is: a description's first clause, as every model's begins with it."""
    clause = re.split(r"[.;:](?:\s|$)", _text(mart["description"]), maxsplit=1)[0]
    return re.sub(r"^One row (per|for|is) ", "", clause)


def _name(mart: dict[str, Any]) -> str:
    return str(mart["alias"])


def _folder(mart: dict[str, Any]) -> str:
    return Path(mart["original_file_path"]).parent.name


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _text(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
