"""The Superset bundle reads what the marts have, fits together, adds up rightly and holds no secret."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlglot
import yaml
from sqlglot import exp

from dagster_project.orchestration.dbt_project import manifest
from scripts import write_superset_datasets
from scripts.write_superset_datasets import BUNDLE

MASKED = "XXXXXXXXXX"  # what Superset itself writes for a password; it then asks for one


def _read(folder: str) -> dict[Path, dict[str, Any]]:
    return {path: yaml.safe_load(path.read_text()) for path in sorted((BUNDLE / folder).rglob("*.yaml"))}


DATABASES, DATASETS, CHARTS, DASHBOARDS = (_read(one) for one in ("databases", "datasets", "charts", "dashboards"))
BY_UUID = {dataset["uuid"]: dataset for dataset in DATASETS.values()}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(manifest().read_text())
    return parsed


def test_each_dataset_has_the_columns_types_and_descriptions_of_its_mart(project: dict[str, Any]) -> None:
    stale = [path.name for path in DATASETS if path.read_text() != write_superset_datasets.written(path, project)]
    assert stale == [], "python scripts/write_superset_datasets.py"


def test_each_dataset_is_named_by_the_exposure(project: dict[str, Any]) -> None:
    [exposure] = [one for one in project["exposures"].values() if one["name"] == "superset"]
    named = {unique_id.split(".")[-1] for unique_id in exposure["depends_on"]["nodes"]}
    aliases = {node["alias"] for node in project["nodes"].values() if node["name"] in named}
    assert aliases == {dataset["table_name"] for dataset in DATASETS.values()}


@pytest.mark.parametrize("path", DATASETS, ids=lambda path: path.stem)
def test_metrics_and_calculated_columns_read_columns_of_their_mart(path: Path) -> None:
    dataset = DATASETS[path]
    columns = {column["column_name"] for column in dataset["columns"] if not column["expression"]}
    own = [column["expression"] for column in dataset["columns"] if column["expression"]]
    for sql in [*own, *(metric["expression"] for metric in dataset["metrics"])]:
        read = {column.name for column in sqlglot.parse_one(sql, dialect="postgres").find_all(exp.Column)}
        assert read and read <= columns, sql


@pytest.mark.parametrize("path", DATASETS, ids=lambda path: path.stem)
def test_no_metric_averages_means_rates_or_percentiles(path: Path) -> None:
    for metric in DATASETS[path]["metrics"]:
        tree = sqlglot.parse_one(metric["expression"], dialect="postgres")
        assert not list(tree.find_all(exp.Avg)), metric
        for total in tree.find_all(exp.Sum):
            for column in total.find_all(exp.Column):
                weighed = isinstance(total.this, exp.Mul)
                assert weighed or not re.match(r"mean_|p\d\d_|value|.*(rate|share|pct)$", column.name), metric
        for highest in tree.find_all(exp.Max):
            if re.match(r"p\d\d_|value|previous_value|.*_pct$|.*share$", highest.this.name):
                assert metric["expression"].startswith("case when count(*) = 1 then"), metric


@pytest.mark.parametrize("path", CHARTS, ids=lambda path: path.stem)
def test_each_chart_asks_for_columns_and_metrics_of_its_dataset(path: Path) -> None:
    chart = CHARTS[path]
    dataset, params = BY_UUID[chart["dataset_uuid"]], chart["params"]
    columns = {column["column_name"] for column in dataset["columns"]}
    metrics = {metric["metric_name"] for metric in dataset["metrics"]}
    groupby = params.get("groupby") or []
    shown = [groupby] if isinstance(groupby, str) else [*groupby, *params.get("all_columns", [])]
    shown += [params["x_axis"]] if "x_axis" in params else []
    shown += [json.loads(order)[0] for order in params.get("order_by_cols", [])]
    assert shown and set(shown) | _filtered(params["adhoc_filters"]) <= columns
    asked = {*params.get("metrics", []), *([params["metric"]] if "metric" in params else [])}
    assert asked <= metrics
    assert asked or params["query_mode"] == "raw"
    assert chart["viz_type"] == params["viz_type"]


def test_uuids_are_unique_and_what_they_point_at_is_there() -> None:
    everything = [*DATABASES.values(), *DATASETS.values(), *CHARTS.values(), *DASHBOARDS.values()]
    assert len({one["uuid"] for one in everything}) == len(everything)
    assert {one["database_uuid"] for one in DATASETS.values()} == {one["uuid"] for one in DATABASES.values()}
    assert {one["dataset_uuid"] for one in CHARTS.values()} <= set(BY_UUID)


def test_the_dashboard_shows_each_chart_once_and_its_filters_reach_them() -> None:
    [dashboard] = DASHBOARDS.values()
    position = dashboard["position"]
    placed = [one for name, one in position.items() if name.startswith("CHART-")]
    assert sorted(one["meta"]["uuid"] for one in placed) == sorted(one["uuid"] for one in CHARTS.values())
    reached = {child for one in position.values() if isinstance(one, dict) for child in one.get("children", [])}
    assert reached == set(position) - {"DASHBOARD_VERSION_KEY", "ROOT_ID", "HEADER_ID"}
    for row in (one for name, one in position.items() if name.startswith("ROW-")):
        assert sum(position[child]["meta"]["width"] for child in row["children"]) == 12
    chart_ids = {one["meta"]["chartId"]: one["meta"]["uuid"] for one in placed}
    assert len(chart_ids) == len(placed)
    charts = {one["uuid"]: one for one in CHARTS.values()}
    for one in dashboard["metadata"]["native_filter_configuration"]:
        [target] = one["targets"]
        choice = one["controlValues"]
        assert choice["enableEmptyFilter"] and not choice["multiSelect"], (
            "rows for all and for each agent stand side by side"
        )
        assert one["defaultDataMask"]["filterState"] or one["requiredFirst"], (
            "charts are asked before a value is chosen"
        )
        columns = {column["column_name"] for column in BY_UUID[target["datasetUuid"]]["columns"]}
        assert {target["column"]["name"]} | _filtered(one.get("adhoc_filters", [])) <= columns
        scope = set(chart_ids) - set(one["scope"]["excluded"])
        asked = [BY_UUID[charts[chart_ids[chart]]["dataset_uuid"]] for chart in scope]
        names = [{column["column_name"] for column in dataset["columns"]} for dataset in asked]
        assert any(target["column"]["name"] in one for one in names), one["name"]


def test_the_bundle_reads_as_bi_reader_and_holds_no_password() -> None:
    for database in DATABASES.values():
        address = urlsplit(database["sqlalchemy_uri"])
        assert (address.username, address.password, address.hostname) == ("bi_reader", MASKED, "localhost")
        assert not any(database[right] for right in ("allow_dml", "allow_ctas", "allow_cvas", "allow_csv_upload"))
        assert not {"password", "encrypted_extra", "masked_encrypted_extra", "ssh_tunnel"} & set(database)
    assert {dataset["schema"] for dataset in DATASETS.values()} == {"marts"}
    assert not any(dataset["sql"] for dataset in DATASETS.values())


def _filtered(filters: list[dict[str, Any]]) -> set[str]:
    """The columns of a chart's own filters."""
    found: set[str] = set()
    for one in filters:
        if one["expressionType"] == "SIMPLE":
            found.add(one["subject"])
        else:
            tree = sqlglot.parse_one(one["sqlExpression"], dialect="postgres")
            found |= {column.name for column in tree.find_all(exp.Column)}
    return found
