"""What was parsed of the dbt project for one database is taken up for another."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumuro_decoder

from dagster_project.orchestration.builds import parsed_project
from dagster_project.orchestration.dbt_project import manifest
from tests.support import forked_dbt


def _databases(value: Any) -> Iterator[str]:
    """Each database that a parsed project names, by itself or before a table."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "database" and isinstance(inner, str):
                yield inner
            elif key == "relation_name" and inner:
                yield inner.split('"')[1]
            else:
                yield from _databases(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _databases(inner)


def test_a_parsed_project_that_is_moved_names_no_other_database() -> None:
    file = manifest().with_name(parsed_project.FILE)
    project = Manifest.from_msgpack(file.read_bytes(), decoder=extended_mashumuro_decoder)
    [before] = set(_databases(project.to_dict()))
    parsed_project.move(project, "moved")
    told = project.to_dict()
    assert set(_databases(told)) == {"moved"} and f'"{before}".' not in json.dumps(told, default=str)


def test_the_project_is_not_parsed_anew_for_another_server_user_or_database() -> None:
    manifest()
    url = "postgresql://somebody:secret@127.0.0.9:1/elsewhere"
    done = forked_dbt.run(url, "parse")
    assert done.returncode == 0, done.stdout
    target = forked_dbt.target_of(url)
    assert json.loads((target / "perf_info.json").read_text())["parsed_path_count"] == 0
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    assert {node["database"] for node in nodes.values()} == {"elsewhere"}


def test_what_was_read_ahead_is_taken_once_and_only_where_it_is_what_is_there_by_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[bytes]()
    monkeypatch.setattr(Manifest, "from_msgpack", lambda found, **_: read.append(found) or len(read))
    monkeypatch.setattr(parsed_project, "_OF_INSTALL", tmp_path / "nothing")
    kept = tmp_path / parsed_project.FILE
    kept.write_bytes(b"this")
    parsed_project.read_ahead(kept)
    taken = [Manifest.from_msgpack(found) for found in (b"another", b"this", b"this")]
    assert (read, taken) == ([b"this", b"another", b"this"], [2, 1, 3])
