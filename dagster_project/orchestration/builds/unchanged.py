"""What Dagster is told of models that a build had no need to make again, and of tests that it asked together."""

import json
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg

from dagster_project.orchestration.builds.last_build import LastBuild
from dagster_project.orchestration.ui import table_metadata
from dagster_project.settings import Settings

# The queries in which a refresh asks tests together: dbt/macros/engine/tested_rows.sql.
_REST, _CORE = "assert_the_rest_holds_for_what_a_refresh_brought", "assert_core_refers_to_what_is_there"
_WARNINGS = "warn_of_what_a_refresh_brought"
# What Postgres says of a model whose own tests fail (macro refuse).
_REFUSED, _COUNTED = re.compile("refused, because tests fail: (.*)"), re.compile(r"(\w+), (\d+) rows")

log = logging.getLogger(__name__)

Nodes = Mapping[str, Any]


def leave_alone(
    context: dg.AssetExecutionContext, conn: psycopg.Connection, nodes: Nodes, last: LastBuild
) -> Iterator[dg.MaterializeResult | dg.AssetObservation]:
    """Say of each asset that it stands as it is, where nothing has come since a good build.

    Args:
        conn: in autocommit.
        nodes: of dbt's manifest.
        last: that build.
    """
    zone = Settings.load().zone
    since, as_of = (time.astimezone(zone) for time in (last.began_at, last.as_of))
    told = f"nothing new since {since:%Y-%m-%d %H:%M:%S}; models are as of {as_of:%Y-%m-%d %H:%M:%S}"
    log.info("dbt: %s: nothing is built", told)
    for spec, is_waited_for in _specs(context):
        if is_waited_for:
            # Those that block passed at that build, or it would not have been a good one.
            passed = {check.name: f"not run: {told}" for check in _blocking_checks(context, spec)}
            yield _as_made(conn, nodes, spec, told, passed)
        else:
            yield dg.AssetObservation(spec.key, metadata={"unchanged": told})


def report_refresh(
    context: dg.AssetExecutionContext,
    conn: psycopg.Connection,
    nodes: Nodes,
    built: Collection[str],
    left_out: Sequence[str],
) -> Iterator[dg.MaterializeResult | dg.AssetMaterialization | dg.AssetCheckResult]:
    """Say of each view of the marts that it shows what a refresh built below it, and of tests that it asked together
    that they passed, where another step waits for them.

    Args:
        conn: in autocommit.
        nodes: of dbt's manifest.
        built: the unique ids of what was built, and of the tests that ran by themselves.
        left_out: the sources that brought nothing, whose own models were left as they were.
    """
    for spec, is_waited_for in _specs(context):
        unique_id = spec.metadata["dagster_dbt/unique_id"]
        is_table, quiet = unique_id in built, set(left_out).intersection(nodes[unique_id]["config"]["tags"])
        told = (
            f"nothing of {quiet.pop()} has come since it was built"
            if quiet
            else "the view is as it was; the tables below it were built in this run"
        )
        if is_waited_for:
            by = "the transaction that wrote it" if is_table else f"{_REST}, or left to the night"
            passed = {
                check.name: f"asked for what this build brought, by {by}"
                if nodes[check.metadata["dagster_dbt/unique_id"]].get("attached_node")
                else "not run in a refresh: it looks at all of history, and passed at the last build that ran it"
                for check in _blocking_checks(context, spec)
                if check.metadata["dagster_dbt/unique_id"] not in built
            }
            if is_table:
                yield from _passed(spec, passed, {})
            else:
                yield _as_made(conn, nodes, spec, told, passed)
        elif not is_table and spec.key.path[0] == "marts":
            yield dg.AssetMaterialization(spec.key, metadata={"unchanged": told})


def broken_tests(conn: psycopg.Connection, run_results: Path) -> dict[str, int]:
    """The tests that failed, or warn, of those that a build asked together, with the number of their rows.

    dbt knows only that a model was refused, in words that name them, or that a query found rows: then they are logged.

    Args:
        conn: in autocommit.
        run_results: dbt's file of this name; it may be missing.
    """
    results = json.loads(run_results.read_bytes())["results"] if run_results.exists() else []
    broken: dict[str, int] = {}
    for result in results:
        if refused := _REFUSED.search(result["message"] or ""):
            broken |= {name: int(rows) for name, rows in _COUNTED.findall(refused[1])}
        elif result["status"] in {"fail", "warn"} and result["unique_id"].split(".")[2] in {_REST, _CORE, _WARNINGS}:
            level = logging.ERROR if result["status"] == "fail" else logging.WARNING
            for name, rows in conn.execute(result["compiled_code"]):
                log.log(level, "dbt: %s: %s, %s rows", result["status"], name, rows)
                broken[name] = rows
    return broken


def report_first_build(
    context: dg.AssetExecutionContext, nodes: Nodes, broken: Mapping[str, int], *, has_built_all: bool
) -> Iterator[dg.AssetCheckResult]:
    """Say of each test that a first build asked together whether it passed.

    Args:
        nodes: of dbt's manifest.
        broken: the tests that did not.
        has_built_all: else only those are known: others were not asked where what they wait for was refused.
    """
    for key in context.selected_asset_check_keys:
        spec = context.assets_def.get_spec_for_check_key(key)
        test = nodes[spec.metadata["dagster_dbt/unique_id"]]
        rows = broken.get(test["name"], 0)
        if rows or (has_built_all and test.get("attached_node")):
            is_warning = test["config"]["severity"].lower() == "warn"
            yield dg.AssetCheckResult(
                passed=not rows,
                asset_key=key.asset_key,
                check_name=key.name,
                severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
                metadata={"unique_id": test["unique_id"], "dagster_dbt/failed_row_count": rows},
            )


def _specs(context: dg.AssetExecutionContext) -> Iterator[tuple[dg.AssetSpec, bool]]:
    """The assets of dbt's step in the run, parents first, and whether another step waits for them: Dagster would skip
    that step unless they are made, and what blocks it has passed."""
    # Dagster would list every output of a step that made none: 23,000 characters, each quarter of an hour.
    context.log.addFilter(lambda record: "did not yield or return expected outputs" not in record.getMessage())
    graph, specs = context.job_def.asset_layer.asset_graph, context.assets_def.specs_by_key
    for key in graph.toposorted_asset_keys:
        if key in specs:
            yield specs[key], bool(graph.get(key).child_keys - context.assets_def.keys)


def _blocking_checks(context: dg.AssetExecutionContext, spec: dg.AssetSpec) -> Iterable[dg.AssetCheckSpec]:
    return [check for check in context.assets_def.check_specs if check.blocking and check.asset_key == spec.key]


def _as_made(
    conn: psycopg.Connection, nodes: Nodes, spec: dg.AssetSpec, told: str, passed: Mapping[str, str]
) -> dg.MaterializeResult:
    node = nodes[spec.metadata["dagster_dbt/unique_id"]]
    metadata: table_metadata.Metadata = {"unchanged": dg.MetadataValue.text(told)}
    return dg.MaterializeResult(
        spec.key,
        metadata=metadata | table_metadata.look(conn, node["schema"], node["alias"]),
        check_results=list(_passed(spec, passed, metadata)),
    )


def _passed(
    spec: dg.AssetSpec, checks: Mapping[str, str], metadata: table_metadata.Metadata
) -> Iterator[dg.AssetCheckResult]:
    for name, description in checks.items():
        yield dg.AssetCheckResult(
            passed=True, asset_key=spec.key, check_name=name, metadata=metadata, description=description
        )
