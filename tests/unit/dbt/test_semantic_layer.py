"""The semantic layer names each KPI as the marts do, and adds up; exposures name what their readers read."""

import json
import re
from typing import Any

import pytest

from dagster_project.orchestration.dbt_project import manifest
from dagster_project.settings import PROJECT_ROOT
from dagster_project.warehouse import seeds

# A row of these is a chat or a turn: a mean over their rows is one of the things themselves.
FACTS = {"chat_response_times", "reply_turns", "chat_effectiveness"}
# Whose marts an exposure names: where their queries are.
READERS = {"report": "exports/report", "exports": "exports/tables", "questions": "questions", "dashboard": "dashboard"}
MART = re.compile(r"""(?:["']|from\s+|join\s+)marts\.(\w+)""")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(manifest().read_text())
    return parsed


def test_each_kpi_of_the_marts_is_a_metric_of_that_name_and_label(project: dict[str, Any]) -> None:
    metrics = {one["name"]: one["label"] for one in project["metrics"].values()}
    kpis = {row["metric"]: row["label_en"] for row in seeds.rows("kpi_metrics")}
    assert {name: metrics.get(name) for name in kpis} == kpis


def test_each_metric_is_described_and_its_worked_example_is_a_chapter_of_the_decisions(project: dict[str, Any]) -> None:
    chapters = re.findall(r"^## (.*)$", (PROJECT_ROOT / "docs/decisions.md").read_text(), re.MULTILINE)
    for metric in project["metrics"].values():
        assert metric["description"], metric["name"]
        explained = metric["config"]["meta"].get("explained")
        assert not explained or any(chapter.startswith(explained) for chapter in chapters), metric["name"]
    kpis = {row["metric"] for row in seeds.rows("kpi_metrics")}
    assert {one["name"] for one in project["metrics"].values() if one["config"]["meta"].get("explained")} >= kpis


def test_a_mean_or_percentile_is_over_facts_and_never_over_rows_that_are_means_or_days(project: dict[str, Any]) -> None:
    for model in project["semantic_models"].values():
        [table] = [name.split(".")[-1] for name in model["depends_on"]["nodes"]]
        for measure in model["measures"]:
            assert measure["agg"] in {"sum", "count", "max"} or table in FACTS, f"{table}: {measure['name']}"


def test_a_time_is_of_one_source_or_null(project: dict[str, Any]) -> None:
    times = [
        measure["name"]
        for model in project["semantic_models"].values()
        if any(name.endswith((".chat_response_times", ".reply_turns")) for name in model["depends_on"]["nodes"])
        for measure in model["measures"]
        if measure["agg"] in {"average", "percentile"}
    ]
    metrics = {one["name"]: one["type_params"] for one in project["metrics"].values()}
    for name in times:
        time = name.removesuffix("_of_rows")
        of = re.sub(r"(_business)?_(mean|p50|p90)$", "_source_count", time)
        assert metrics[time]["expr"] == f"case when {of} = 1 then {name} end" and of in metrics
    assert len(times) == 30


def test_each_exposure_has_an_owner_and_names_the_marts_that_its_code_reads(project: dict[str, Any]) -> None:
    exposures = {one["name"]: one for one in project["exposures"].values()}
    marts = {node["name"] for node in project["nodes"].values() if node["schema"] == "marts"}
    for name, exposure in exposures.items():
        named = {unique_id.split(".")[-1] for unique_id in exposure["depends_on"]["nodes"]}
        assert exposure["owner"]["name"] and exposure["description"], name
        assert named and named <= marts, name
        missing = {
            read
            for file in (PROJECT_ROOT / "dagster_project" / READERS.get(name, "none")).rglob("*.py")
            for read in MART.findall(file.read_text())
            if not any(mart == read or (read.endswith("_") and mart.startswith(read)) for mart in named)
        }
        assert not missing, f"dbt/models/exposures.yml: {name} lacks {sorted(missing)}"
    assert set(exposures) >= {"report", "exports", "superset", "questions"}
