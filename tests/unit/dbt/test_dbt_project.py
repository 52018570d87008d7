"""The dbt project keeps its rules, and each rule catches what it is for."""

import copy
import json
import re
from collections.abc import Callable

import pytest

from dagster_project.orchestration.dbt_project import manifest
from dagster_project.settings import PROJECT_ROOT
from tests.support.manifest_rules import Manifest, Node, violations


@pytest.fixture(scope="module")
def project() -> Manifest:
    parsed: Manifest = json.loads(manifest().read_text())
    ours = {unique_id: macro for unique_id, macro in parsed["macros"].items() if macro["package_name"] == "b2chat"}
    return {part: parsed[part] for part in ("nodes", "sources", "groups", "unit_tests")} | {"macros": ours}


def test_the_dbt_project_breaks_none_of_its_rules(project: Manifest) -> None:
    assert violations(project) == []


def _reads(unique_id: str) -> Callable[[Node], None]:
    return lambda model: model["depends_on"]["nodes"].append(unique_id)


def _with(**values: object) -> Callable[[Node], None]:
    return lambda model: model.update(values)


def _column(name: str, **values: object) -> Callable[[Node], None]:
    return lambda model: model["columns"][name].update(values)


BREACHES: list[tuple[str, Callable[[Node], None], str]] = [
    ("chat_response_times", _reads("model.b2chat.stg_b2chat__chats"), "reads stg_b2chat__chats (staging)"),
    ("chat_response_times", _reads("source.b2chat.raw.chats"), "reads chats (raw)"),
    ("chats", _reads("model.b2chat.heatmap_cells"), "reads heatmap_cells (marts)"),
    ("int_affected_chats", _reads("model.b2chat.heatmap_cells"), "reads heatmap_cells (marts)"),
    ("int_business_slots", _reads("model.b2chat.departments"), "reads departments (core)"),
    (
        "int_sla_days",
        _reads("model.b2chat.int_b2chat__chat_versions"),
        "reads int_b2chat__chat_versions (intermediate)",
    ),
    ("stg_b2chat__chats", _reads("model.b2chat.int_affected_chats"), "reads int_affected_chats (facts)"),
    ("stg_b2chat__chats", _with(name="chats_cleaned"), "is not called so"),
    ("heatmap_cells", _with(name="int_cells"), "is not called so"),
    ("heatmap_cells", _with(description="The cells of the heatmap."), "does not begin with the grain"),
    ("messages", _column("text", description=" "), "messages.text: no description"),
    ("chat_response_times", _column("created_at", data_type="timestamp"), "created_at: timestamp"),
    ("chat_response_times", _column("created_local_date", data_type="timestamptz"), "created_local_date: timestamptz"),
    ("chat_response_times", _column("pickup_seconds", data_type="interval"), "pickup_seconds: interval"),
    ("chat_response_times", _column("is_converted", data_type="text"), "is_converted: text"),
    ("chat_response_times", _column("reply_count", data_type="double precision"), "reply_count: double precision"),
    ("chat_response_times", _column("chat_id", data_type="bigint"), "chat_id: bigint"),
    ("chat_response_times", _column("channel", data_type="text[]"), "channel: text[] is not a plain type"),
    ("chat_response_times", _with(raw_code="select from x"), "chat_response_times: select from"),
    ("heatmap_cells", _with(raw_code="select 1 group by grouping sets (a, b)"), "heatmap_cells: grouping sets"),
    ("reply_turns", _with(raw_code="with recursive a as (select 1)"), "a recursive query over rows that are spread"),
    ("messages", lambda model: model["config"].update(unique_key="id"), "spread by chat_id, and replaced by another"),
    ("int_chat_quality", _reads("model.b2chat.messages"), "reads messages of whole days"),
    ("int_b2chat__messages", lambda model: model["depends_on"].update(macros=[]), "not made by source_key"),
    ("chat_response_times", _with(access="protected"), "access is protected"),
    ("chat_response_times", _with(group=None), "not in the group facts"),
    ("chat_response_times", lambda model: model["config"]["meta"].clear(), "no owner"),
    ("chat_response_times", lambda model: model["contract"].update(enforced=False), "contract is not enforced"),
    ("chat_response_times", _column("channel", data_type=None), "leaves a type out"),
]


@pytest.mark.parametrize(("name", "spoil", "says"), BREACHES)
def test_a_broken_rule_is_found_and_names_the_model(
    project: Manifest, name: str, spoil: Callable[[Node], None], says: str
) -> None:
    broken = copy.deepcopy(project)
    model = broken["nodes"][f"model.b2chat.{name}"]
    spoil(model)
    found = set(violations(broken)) - set(violations(project))
    assert all(line.startswith(model["name"]) for line in found)
    assert any(says in line for line in found)


def test_a_stored_model_without_a_key_is_found(project: Manifest) -> None:
    broken = copy.deepcopy(project)
    model = broken["nodes"]["model.b2chat.heatmap_cells"]
    model["constraints"], model["config"]["indexes"] = [], []
    for column in model["columns"].values():
        column["constraints"] = []
    for unique_id in [key for key, node in broken["nodes"].items() if node.get("attached_node") == model["unique_id"]]:
        del broken["nodes"][unique_id]
    assert "heatmap_cells: no test, constraint or index says what is unique" in violations(broken)


def test_a_mart_without_a_unit_test_is_found_and_so_is_the_view_on_it(project: Manifest) -> None:
    broken = copy.deepcopy(project)
    broken["unit_tests"] = {}
    missing = {line.split(":")[0] for line in violations(broken) if "no unit test" in line}
    assert {"heatmap_cells", "weekly_response_time_heatmap"} <= missing


def test_a_text_that_two_marts_copied_is_found(project: Manifest) -> None:
    broken = copy.deepcopy(project)
    for name in ("heatmap_cells", "heatmap_weeks"):
        broken["nodes"][f"model.b2chat.{name}"]["columns"]["week_start"].update(description="A copy.", doc_blocks=[])
    assert any("heatmap_weeks" in line and "docs block" in line for line in violations(broken))


def test_a_unit_test_without_a_sentence_for_a_name_is_found(project: Manifest) -> None:
    broken = copy.deepcopy(project)
    next(iter(broken["unit_tests"].values()))["name"] = "test_chats_1"
    assert any("test_chats_1" in line for line in violations(broken))


def test_each_column_that_the_managers_list_names_is_there(project: Manifest) -> None:
    named = re.findall(r"`(\w+)\.(\w+)`", (PROJECT_ROOT / "docs" / "metrics.md").read_text())
    columns = {
        (node["name"], column)
        for node in project["nodes"].values()
        if node["resource_type"] == "model"
        for column in node["columns"]
    }
    assert [name for name in named if name not in columns] == []
    assert len(named) > 40


def test_each_mart_is_in_the_managers_list(project: Manifest) -> None:
    text = (PROJECT_ROOT / "docs" / "metrics.md").read_text()
    marts = {
        node["name"]
        for node in project["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["schema"] == "marts" and node["fqn"][2] != "analysis"
    }
    assert sorted(mart for mart in marts if mart not in text) == []


def test_each_test_that_the_decisions_name_is_there(project: Manifest) -> None:
    text = (PROJECT_ROOT / "docs" / "decisions.md").read_text()
    named = re.findall(r"`([a-z0-9_]+)`", text[text.index("## What users of other packages reported") :])
    there = {test["name"] for part in ("unit_tests", "nodes") for test in project[part].values()}
    for file in (PROJECT_ROOT / "tests").rglob("test_*.py"):
        there |= set(re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE))
    assert [name for name in named if name not in there] == []
    assert len(named) > 25


def test_the_queries_that_ask_tests_together_wait_for_all_tables_that_they_look_at(project: Manifest) -> None:
    nodes = project["nodes"]

    def is_table(node: Node) -> bool:
        return bool(node["config"]["materialized"] == "incremental")

    rest, warnings, core = (
        {unique_id for unique_id in _lineage(nodes, f"test.b2chat.{name}") if is_table(nodes[unique_id])}
        for name in _ASK_TOGETHER
    )
    for unique_id, test in nodes.items():
        tested = nodes.get(test.get("attached_node"))
        if not tested or tested["resource_type"] != "model" or tested["fqn"][1] == "staging":
            continue
        looked_at = {one for one in _lineage(nodes, unique_id) if is_table(nodes[one])}
        if test["config"]["severity"].lower() == "warn":
            assert not is_table(tested) or looked_at <= warnings, test["name"]
        elif is_table(tested):
            own = _lineage(nodes, tested["unique_id"])
            assert any(looked_at <= waited for waited in (own, core, rest)), test["name"]
        elif not _waits_for_the_night(tested):
            assert looked_at <= rest, test["name"]


def test_what_a_first_build_asks_together_is_made_by_then(project: Manifest) -> None:
    nodes = project["nodes"]
    rest, warnings, core = (_lineage(nodes, f"test.b2chat.{name}") for name in _ASK_TOGETHER)
    for unique_id, test in nodes.items():
        if test.get("attached_node"):
            looked_at = _lineage(nodes, unique_id) - {unique_id}
            is_warning = test["config"]["severity"].lower() == "warn"
            waited = (warnings,) if is_warning else (_lineage(nodes, test["attached_node"]), core, rest)
            assert any(looked_at <= one for one in waited), test["name"]


_ASK_TOGETHER = (
    "assert_the_rest_holds_for_what_a_refresh_brought",
    "warn_of_what_a_refresh_brought",
    "assert_core_refers_to_what_is_there",
)


def _lineage(nodes: dict[str, Node], unique_id: str) -> set[str]:
    """A node and all models and seeds above it."""
    found = [unique_id]
    for one in found:  # it grows meanwhile
        parents = nodes[one]["depends_on"].get("nodes", [])
        found += [parent for parent in parents if parent in nodes and parent not in found]
    return set(found)


def _waits_for_the_night(view: Node) -> bool:
    dated = {"chat_id", "local_date", "week_start", "month_start", "period_start"} & set(view["columns"])
    return view["fqn"][2] in {"report", "by_direction"} or "tests_wait" in view["config"]["meta"] or not dated


def test_a_refresh_leaves_to_the_night_only_tests_of_views_that_it_would_read_whole(project: Manifest) -> None:
    models = [node for node in project["nodes"].values() if node["resource_type"] == "model"]
    assert {
        node["name"]
        for node in models
        if node["config"]["meta"].get("tests_wait") and not {"rooms", "calls"} & set(node["config"]["tags"])
    } == {
        "categories_daily", "categories_weekly", "categories_monthly", "chat_effectiveness", "effectiveness_daily",
        "kpi_daily", "kpi_weekly", "kpi_monthly", "sync_health", "kpi_bands", "kpi_alarms",
    }
