"""What Dagster is told of tests that a first build asked together: each is a check of its own."""

import json
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from dagster_project.orchestration.assets.dbt import dbt_models
from dagster_project.orchestration.builds import unchanged
from dagster_project.orchestration.dbt_project import manifest

REFUSED, WARNED = "sla_targets_are_positive", "not_null_chats_created_at"


@pytest.fixture(scope="module")
def nodes() -> dict[str, Any]:
    return json.loads(manifest().read_bytes())["nodes"]  # type: ignore[no-any-return]


def _reported(nodes: dict[str, Any], *, has_built_all: bool) -> dict[str, dg.AssetCheckResult]:
    context: Any = SimpleNamespace(assets_def=dbt_models, selected_asset_check_keys=dbt_models.check_keys)
    broken = {REFUSED: 3, WARNED: 2}
    found = list(unchanged.report_first_build(context, nodes, broken, has_built_all=has_built_all))
    assert len({one.check_name for one in found}) == len(found)
    return {str(one.check_name): one for one in found}


def test_each_data_test_is_a_check_that_passed_or_failed_with_the_number_of_its_rows(nodes: dict[str, Any]) -> None:
    found = _reported(nodes, has_built_all=True)
    assert found.keys() == {test["name"] for test in nodes.values() if test.get("attached_node")}
    assert {
        name: one.metadata["dagster_dbt/failed_row_count"].value for name, one in found.items() if not one.passed
    } == {
        REFUSED: 3,
        WARNED: 2,
    }
    assert (
        found[REFUSED].severity == dg.AssetCheckSeverity.ERROR and found[WARNED].severity == dg.AssetCheckSeverity.WARN
    )


def test_of_a_build_that_was_refused_only_what_failed_is_known(nodes: dict[str, Any]) -> None:
    assert _reported(nodes, has_built_all=False).keys() == {REFUSED, WARNED}
