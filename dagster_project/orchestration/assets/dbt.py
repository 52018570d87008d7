"""All dbt models as assets, and their tests as asset checks: one step, one dbt process."""

import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from pydantic import Field

from dagster_project.exports.stores.configured import store_of
from dagster_project.orchestration.builds import parsed_project, quiet_sources, seed_files, unchanged
from dagster_project.orchestration.builds.last_build import is_first, last_good, note_good_build
from dagster_project.orchestration.dagster_dbt_alone import (
    DagsterDbtCliRuntimeError,
    DagsterDbtTranslator,
    DbtProject,
    dbt_assets,
)
from dagster_project.orchestration.dbt_project import dbt_project, fingerprint, manifest
from dagster_project.orchestration.resources import DbtCli, Warehouse
from dagster_project.orchestration.ui import table_metadata
from dagster_project.orchestration.ui.check_descriptions import describe
from dagster_project.settings import Settings
from dagster_project.warehouse.access import bi_access, bi_role, hidden_code
from dagster_project.warehouse.archive import restore

log = logging.getLogger(__name__)

_SCRATCH_DAYS = 7  # that what a failed build has written is there to be looked at


class DbtConfig(dg.Config):
    """How dbt builds."""

    full_refresh: bool = Field(False, description="Make every model anew from raw.")
    with_archives: bool = Field(False, description="Restore all archived months, then make every model anew.")
    test_everything: bool = Field(False, description="Test all rows, not only those that the last build read.")
    force: bool = Field(False, description="Build although nothing has come since the last good build.")


def freshness(hours: Mapping[str, float], minutes_between_refreshes: int) -> dg.FreshnessPolicy:
    """How old a model's asset may be: the hours that its meta names, but never less than two refreshes take to come."""
    least = timedelta(minutes=2 * minutes_between_refreshes)
    warn, fail = (max(timedelta(hours=hours[name]), least) for name in ("warn_hours", "fail_hours"))
    return dg.FreshnessPolicy.time_window(fail_window=max(fail, warn * 1.5), warn_window=warn)


class Translator(DagsterDbtTranslator):
    """Adds to what dbt says of a model what only Dagster knows: how fresh a mart must be, and one way to name it.

    A model with versions, or with an alias, is named like any other, by its schema and its table: the newest version
    keeps its asset.
    """

    def __init__(self, minutes_between_refreshes: int) -> None:
        super().__init__()
        self._minutes_between_refreshes = minutes_between_refreshes
        self._specs: dict[str, dg.AssetSpec] = {}

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        props = dbt_resource_props
        if props["resource_type"] == "model" and (props.get("version") or props["alias"] != props["name"]):
            return dg.AssetKey([props["schema"], props["alias"]])
        return super().get_asset_key(dbt_resource_props)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        # dbt's own words, without the model's text below them: it stands in the repository.
        return str(dbt_resource_props["description"])

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        # Asked once for each model, test and edge: 1,600 times for 200 models.
        if unique_id not in self._specs:
            self._specs[unique_id] = self._asset_spec(manifest, unique_id, project)
        return self._specs[unique_id]

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(description=describe(manifest["nodes"][unique_id]))

    def _asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        meta = manifest["nodes"][unique_id]["config"]["meta"] if unique_id.startswith("model.") else {}
        if meta.get("freshness") and spec.key.path[0] == "marts":
            return spec.replace_attributes(
                freshness_policy=freshness(meta["freshness"], self._minutes_between_refreshes)
            )
        return spec


translator = Translator(Settings.load().sync_interval)


@dbt_assets(
    manifest=manifest(),
    project=dbt_project,
    name="dbt_models",
    dagster_dbt_translator=translator,
    op_tags={"dagster/retry_strategy": "FROM_ASSET_FAILURE"},
)
def dbt_models(
    context: dg.AssetExecutionContext,
    config: DbtConfig,
    dbt: DbtCli,
    warehouse: Warehouse,
) -> Iterator[Any]:
    """Build what can have changed since the last build, layer by layer, and test it.

    That is nothing where nothing came, the tables where the project is the one that was last built, else all of it.
    """
    settings = Settings.load()
    _restore_bi_reader(settings, warehouse.url)
    try:
        seed_files.check()
    except seed_files.SeedsWrong as error:
        raise dg.Failure(f"nothing was built: {error}", allow_retries=False) from None
    if config.with_archives:
        for archive, count in restore.restore_all(warehouse.url, store_of(settings), for_dbt=True):
            log.info("%s: %s rows restored", archive.label, f"{count:,}")
    project, is_whole, last, first = fingerprint(settings), not context.assets_def.is_subset, None, False
    nodes = json.loads(dbt_project.manifest_path.read_bytes())["nodes"]
    # What was restored was left as it was meanwhile: it takes part again in all that is made from it.
    full_refresh = config.full_refresh or config.with_archives
    if is_whole and not (full_refresh or config.test_everything):
        with warehouse.connect() as conn:
            conn.autocommit = True
            last = last_good(conn, nodes.values(), project=project, zone=settings.timezone)
            if last and last.is_current and not config.force:
                yield from unchanged.leave_alone(context, conn, nodes, last)
                return
            first = is_first(conn)
    # Unit tests prove the SQL, not the data: they belong to a change of the models, not to every refresh.
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    if full_refresh:
        arguments += ["--full-refresh"]
    if config.test_everything:
        arguments += ["--vars", json.dumps({"test_everything": True})]
    left_out: list[str] = []
    if last:
        with warehouse.connect() as conn:
            left_out = quiet_sources.leave_out(conn, nodes.values(), last)
        arguments += ["--selector", quiet_sources.selector(left_out)]
    elif first:
        arguments += ["--selector", "first_build"]
    scratch, parsed = _scratch(context.run_id)
    invocation = dbt.cli(arguments, context=context, target_path=scratch)
    built: set[str] = set()
    with warehouse.connect() as conn:
        conn.autocommit = True
        try:
            for event in invocation.stream():
                if isinstance(event, dg.Output):
                    node = nodes[event.metadata["unique_id"].value]
                    built.add(node["unique_id"])
                    found = table_metadata.look(conn, node["schema"], node["alias"])
                    if rows := table_metadata.rows_told(found):
                        log.info(_line(node["alias"], event, rows))
                    yield event.with_metadata({**event.metadata, **found})
                else:
                    if isinstance(event, dg.AssetCheckResult):
                        built.add(str(event.metadata["unique_id"].value))
                    yield event
        except DagsterDbtCliRuntimeError:
            broken = unchanged.broken_tests(conn, scratch / "run_results.json")
            if first:
                yield from unchanged.report_first_build(context, nodes, broken, has_built_all=False)
            raise
        broken = unchanged.broken_tests(conn, scratch / "run_results.json")
        if first:
            yield from unchanged.report_first_build(context, nodes, broken, has_built_all=True)
        if last:
            yield from unchanged.report_refresh(context, conn, nodes, built, left_out)
    _require_no_hidden_code(warehouse)
    results = invocation.get_artifact("run_results.json")
    if is_whole:
        with warehouse.connect() as conn:
            note_good_build(conn, results["metadata"]["invocation_id"], project)
    _tell(results)
    # Parsing costs seconds, and holds for one set of vars only: what the usual build parsed is kept.
    if not config.test_everything:
        parsed_project.copy(scratch / parsed.name, parsed)
    shutil.rmtree(scratch, ignore_errors=True)


def tables_of_no_asset(made: Iterable[dg.AssetsDefinition]) -> list[dg.AssetSpec]:
    """The tables that models read and no asset makes under that name: without this the graph has their keys alone.

    Args:
        made: all other assets.
    """
    read = set(dbt_models.dependency_keys) - {key for assets in made for key in assets.keys}
    sources = json.loads(dbt_project.manifest_path.read_bytes())["sources"].values()
    return [
        dg.AssetSpec(
            key,
            description=source["description"],
            group_name="operations" if source["schema"] == "ops" else source["schema"],
            owners=["team:data"],
            kinds={"postgres"},
        )
        for source in sources
        if (key := translator.get_asset_key(source)) in read
    ]


def _restore_bi_reader(settings: Settings, url: str) -> None:
    """BI's role may lift its own limits, for good; no fault of it is worth a failed refresh."""
    try:
        wrong = [part.fault for part in bi_access.restore(settings, url) if not part.superuser_only]
    except psycopg.Error as error:
        wrong = [type(error).__name__]
    if wrong:
        log.warning("%s: %s: `b2chat check` says what to do", bi_role.ROLE, "; ".join(wrong))


def _require_no_hidden_code(warehouse: Warehouse) -> None:
    """Where dbt has a role of its own: before the owner reads what it made."""
    with warehouse.connect() as conn:
        try:
            hidden_code.require_none(conn)
        except hidden_code.HiddenCode as error:
            raise dg.Failure(str(error), allow_retries=False) from None


def build_models(dbt: DbtCli, run_id: str, *selected: str) -> None:
    """Build the models that dbt selects by these names or paths, and test them.

    Raises:
        DagsterDbtCliRuntimeError: dbt failed, or a test did.
    """
    scratch, _ = _scratch(run_id)
    arguments = ["build", "--exclude-resource-type", "unit_test", "--select", *selected]
    dbt.cli(arguments, manifest=manifest(), target_path=scratch).wait()
    shutil.rmtree(scratch, ignore_errors=True)


def build_what_came(dbt: DbtCli, warehouse: Warehouse, run_id: str) -> None:
    """Build what new loads can change, and test what they brought; everything where the last build was none of this
    project.

    Raises:
        DagsterDbtCliRuntimeError: dbt failed, or a test did.
    """
    settings = Settings.load()
    project, nodes = fingerprint(settings), json.loads(manifest().read_bytes())["nodes"].values()
    with warehouse.connect() as conn:
        conn.autocommit = True
        last = last_good(conn, nodes, project=project, zone=settings.timezone)
        chosen = ["--selector", quiet_sources.selector(quiet_sources.leave_out(conn, nodes, last))] if last else []
    scratch, _ = _scratch(run_id)
    arguments = ["build", "--exclude-resource-type", "unit_test", *chosen]
    results = dbt.cli(arguments, manifest=manifest(), target_path=scratch).wait().get_artifact("run_results.json")
    _require_no_hidden_code(warehouse)
    with warehouse.connect() as conn:
        note_good_build(conn, results["metadata"]["invocation_id"], project)
    _tell(results)
    shutil.rmtree(scratch, ignore_errors=True)


def _scratch(run_id: str) -> tuple[Path, Path]:
    """A folder of the run's own, because dbt's default one is never deleted, with what the last build parsed in it; and
    where that is kept. Both are with the data: a service may write nowhere else."""
    kept = Settings.load().data_path / "dbt"
    for left in kept.glob("run-*"):  # by builds that failed or were killed
        if left.stat().st_mtime < time.time() - _SCRATCH_DAYS * 86_400:
            shutil.rmtree(left, ignore_errors=True)
    scratch, parsed = kept / f"run-{run_id}", kept / parsed_project.FILE
    parsed_project.bring(parsed, scratch)
    return scratch, parsed


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
