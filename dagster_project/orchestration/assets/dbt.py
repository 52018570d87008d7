"""All dbt models as assets, and their tests as asset checks: one step, one dbt process."""

import json
import logging
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets
from dbt.constants import PARTIAL_PARSE_FILE_NAME
from pydantic import Field

from dagster_project.exports.stores.configured import store_of
from dagster_project.orchestration import seed_files
from dagster_project.orchestration.assets import table_metadata
from dagster_project.orchestration.assets.check_descriptions import describe
from dagster_project.orchestration.assets.heatmap import thumbnail
from dagster_project.orchestration.assets.last_build import LastBuild, note_good_build, still_good
from dagster_project.orchestration.dbt_project import dbt_project, fingerprint, manifest
from dagster_project.orchestration.resources import DbtCli, Warehouse
from dagster_project.settings import Settings
from dagster_project.warehouse import bi_access, bi_role
from dagster_project.warehouse.archive import restore

log = logging.getLogger(__name__)

WEEKLY_HEATMAP = ("marts", "weekly_response_time_heatmap")
MART_FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26), warn_window=timedelta(hours=13))


class DbtConfig(dg.Config):
    """How dbt builds."""

    full_refresh: bool = Field(False, description="Make every model anew from raw.")
    with_archives: bool = Field(False, description="Restore all archived months first: a full refresh needs them.")
    test_everything: bool = Field(False, description="Test all rows, not only those that the last build read.")
    force: bool = Field(False, description="Build although nothing has come since the last good build.")


class Translator(DagsterDbtTranslator):
    """Adds to what dbt says of a model what only Dagster knows: how fresh a mart must be, and one way to name it.

    A model with versions, or with an alias, is named like any other, by its schema and its table: the newest version
    keeps its asset.
    """

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        props = dbt_resource_props
        if props["resource_type"] == "model" and (props.get("version") or props["alias"] != props["name"]):
            return dg.AssetKey([props["schema"], props["alias"]])
        return super().get_asset_key(dbt_resource_props)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        # dbt's own words, without the model's text below them: it stands in the repository.
        return str(dbt_resource_props["description"])

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        if unique_id.startswith("model.") and spec.key.path[0] == "marts":
            return spec.replace_attributes(freshness_policy=MART_FRESHNESS)
        return spec

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(description=describe(manifest["nodes"][unique_id]))


@dbt_assets(
    manifest=manifest(),
    project=dbt_project,
    name="dbt_models",
    dagster_dbt_translator=Translator(),
    op_tags={"dagster/retry_strategy": "FROM_ASSET_FAILURE"},
)
def dbt_models(
    context: dg.AssetExecutionContext,
    config: DbtConfig,
    dbt: DbtCli,
    warehouse: Warehouse,
) -> Iterator[Any]:
    """Build what changed since the last build, layer by layer, and test it; nothing, where nothing can have changed."""
    settings = Settings.load()
    zone = settings.timezone
    _restore_bi_reader(settings, warehouse.url)
    try:
        seed_files.check()
    except seed_files.SeedsWrong as error:
        raise dg.Failure(f"nothing was built: {error}", allow_retries=False) from None
    if config.with_archives:
        for archive, count in restore.restore_all(warehouse.url, store_of(settings)):
            log.info("%s: %s rows restored", archive.label, f"{count:,}")
    project, is_whole = fingerprint(settings), not context.assets_def.is_subset
    if is_whole and not (config.force or config.full_refresh or config.test_everything):
        nodes = json.loads(dbt_project.manifest_path.read_bytes())["nodes"]
        with warehouse.connect() as conn:
            conn.autocommit = True
            if last := still_good(conn, nodes.values(), project=project, zone=zone):
                yield from _leave_alone(context, conn, nodes, last)
                return
    # Unit tests prove the SQL, not the data: they belong to a change of the models, not to every refresh.
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    if config.full_refresh:
        arguments += ["--full-refresh"]
    if config.test_everything:
        arguments += ["--vars", json.dumps({"test_everything": True})]
    scratch, parsed = _scratch(context.run_id)
    invocation = dbt.cli(arguments, context=context, target_path=scratch)
    with warehouse.connect() as conn:
        conn.autocommit = True
        for event in invocation.stream():
            if isinstance(event, dg.Output):
                node = invocation.manifest["nodes"][event.metadata["unique_id"].value]
                found = _look(conn, node["schema"], node["alias"])
                if rows := table_metadata.rows_told(found):
                    log.info(_line(node["alias"], event, rows))
                yield event.with_metadata({**event.metadata, **found})
            else:
                yield event
    results = invocation.get_artifact("run_results.json")
    if is_whole:
        with warehouse.connect() as conn:
            note_good_build(conn, results["metadata"]["invocation_id"], project)
    _tell(results)
    # Parsing costs seconds, and holds for one database and one set of vars only: what the usual build parsed is kept.
    if not config.test_everything:
        _copy(scratch / parsed.name, parsed)
    shutil.rmtree(scratch, ignore_errors=True)


def _restore_bi_reader(settings: Settings, url: str) -> None:
    """BI's role may lift its own limits, for good; no fault of it is worth a failed refresh."""
    try:
        wrong = [part.fault for part in bi_access.restore(settings, url) if not part.superuser_only]
    except psycopg.Error as error:
        wrong = [type(error).__name__]
    if wrong:
        log.warning("%s: %s: `b2chat check` says what to do", bi_role.ROLE, "; ".join(wrong))


def _leave_alone(
    context: dg.AssetExecutionContext, conn: psycopg.Connection, nodes: Mapping[str, Any], last: LastBuild
) -> Iterator[dg.MaterializeResult | dg.AssetObservation]:
    """Say of each asset that it stands as it is; of one that another step waits for, that it is made, or Dagster would
    skip that step."""
    zone = Settings.load().zone
    since, as_of = (time.astimezone(zone) for time in (last.began_at, last.as_of))
    told = f"nothing new since {since:%Y-%m-%d %H:%M:%S}; models are as of {as_of:%Y-%m-%d %H:%M:%S}"
    log.info("dbt: %s: nothing is built", told)
    # Dagster would list every output of a step that made none: 23,000 characters, each quarter of an hour.
    context.log.addFilter(lambda record: "did not yield or return expected outputs" not in record.getMessage())
    graph, specs = context.job_def.asset_layer.asset_graph, context.assets_def.specs_by_key
    for spec in (specs[key] for key in graph.toposorted_asset_keys if key in specs):
        metadata: dict[str, Any] = {"unchanged": told}
        if not graph.get(spec.key).child_keys - context.assets_def.keys:
            yield dg.AssetObservation(spec.key, metadata=metadata)
            continue
        node = nodes[spec.metadata["dagster_dbt/unique_id"]]
        # Those that block passed at that build, or it would not have been a good one.
        passed = [
            dg.AssetCheckResult(
                passed=True,
                asset_key=spec.key,
                check_name=check.name,
                metadata=metadata,
                description=f"not run: {told}",
            )
            for check in context.assets_def.check_specs
            if check.blocking and check.asset_key == spec.key
        ]
        found = _look(conn, node["schema"], node["alias"])
        yield dg.MaterializeResult(spec.key, metadata=metadata | found, check_results=passed)


def build_models(dbt: DbtCli, run_id: str, *selected: str) -> None:
    """Build the models that dbt selects by these names or paths, and test them.

    Raises:
        DagsterDbtCliRuntimeError: dbt failed, or a test did.
    """
    scratch, _ = _scratch(run_id)
    arguments = ["build", "--exclude-resource-type", "unit_test", "--select", *selected]
    dbt.cli(arguments, manifest=manifest(), target_path=scratch).wait()
    shutil.rmtree(scratch, ignore_errors=True)


def _scratch(run_id: str) -> tuple[Path, Path]:
    """A folder of the run's own, because dbt's default one is never deleted, with what the last build parsed in it; and
    where that is kept."""
    scratch = dbt_project.project_dir / dbt_project.target_path / f"run-{run_id}"
    parsed = Settings.load().data_path / "dbt" / PARTIAL_PARSE_FILE_NAME
    _copy(parsed, scratch / parsed.name)
    return scratch, parsed


def _look(conn: psycopg.Connection, schema: str, name: str) -> dict[str, dg.MetadataValue]:
    """What the UI shows of it; a look that fails is not worth a failed build."""
    try:
        found = table_metadata.of_table(conn, schema, name)
        if (schema, name) == WEEKLY_HEATMAP and (picture := thumbnail(conn)):
            found["heatmap"] = picture
    except psycopg.Error as error:
        log.warning("no metadata of %s: %s", name, type(error).__name__)
        return {}
    return found


def _copy(file: Path, to: Path) -> None:
    if file.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        half = to.with_name(f"{to.name}.{os.getpid()}")
        shutil.copyfile(file, half)  # not with its mode: dbt writes into a folder that is open to others
        half.replace(to)


def _line(name: str, event: dg.Output, rows: str) -> str:
    seconds = event.metadata.get("Execution Duration")
    return f"{name}: {rows}" + (f", {seconds.value:.1f} s" if seconds else "")


def _tell(results: Mapping[str, Any]) -> None:
    """What dbt did in one line, and each test that was not passed in one of its own."""
    counts = Counter((result["unique_id"].split(".")[0], result["status"]) for result in results["results"])
    parts = [f"{number} {kind.replace('_', ' ')}s {status}" for (kind, status), number in sorted(counts.items())]
    log.info("dbt: %s; %.1f s", ", ".join(parts), results["elapsed_time"])
    for result in results["results"]:
        if result["status"] in {"warn", "fail", "error"}:
            log.warning("dbt: %s: %s, %s rows", result["status"], result["unique_id"].split(".")[2], result["failures"])
