"""Runs Dagster's jobs in this process, and prints what they did."""

import contextlib
import itertools
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import psycopg
from dagster._core.events import RunFailureReason
from psycopg import sql
from psycopg.rows import dict_row
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dagster_project.cli import render
from dagster_project.cli.run_log import log_on_terminal
from dagster_project.cli.sources_side_by_side import print_sources
from dagster_project.deployment.environment import Deployment
from dagster_project.exports.pictures import heatmap as heatmaps
from dagster_project.orchestration import run_locks
from dagster_project.orchestration.assets import launch
from dagster_project.warehouse import connection, data_source, sla_targets
from dagster_project.warehouse.access import users

_MAX_LINES = 6  # of one source: more are told as one


def run(
    deployment: Deployment,
    job: str,
    config: dict[str, Any] | None = None,
    *,
    quiet: bool = False,
) -> dict[str, Any]:
    """Run a job of ours in this process; its runs and events are kept where the UI shows them.

    Args:
        deployment: the deployment to run on.
        job: its name, as in the UI.
        config: values for the typed config of the job's assets.
        quiet: log nothing on the terminal while it runs, but for whom it waits.

    Returns:
        the outcome as plain values: job, status (success, partial, failed), run_id, seconds, error, data_source, and
        what the syncs count.

    Raises:
        KeyboardInterrupt: it was stopped by Ctrl-C or SIGTERM.
    """
    from dagster_project.definitions import defs  # noqa: PLC0415  parses the dbt project, with the environment set

    began, clock, run_id = datetime.now(UTC), time.monotonic(), str(uuid.uuid4())
    definition = defs.resolve_job_def(job)
    launch.of_a_command.add(run_id)
    with dg.DagsterInstance.get() as instance, _dbt_output_to_file(deployment), log_on_terminal(quiet=quiet):
        with connection.connect(deployment.url) as conn:
            run_locks.fail_abandoned(conn, instance)
        result = definition.execute_in_process(
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            tags={"b2chat/started_by": users.account()},
            run_config={
                "loggers": {"silent": {}},
                "ops": {step: {"config": config} for step in _steps_with_config(definition, config or {})},
            },
        )
    if _was_interrupted(result):
        raise KeyboardInterrupt
    with connection.connect(deployment.url) as conn:
        syncs = _syncs(conn, began)
        return {
            "job": job,
            "run_id": result.run_id,
            "seconds": round(time.monotonic() - clock, 1),
            "status": "failed"
            if not result.success
            else "partial"
            if any(sync["is_unfinished"] for sync in syncs)
            else "success",
            "errors": [_cause(event) for event in result.all_node_events if event.is_step_failure]
            or [_cause_of_run(event) for event in result.all_events if event.is_job_failure],
            "data_source": data_source.kind_of(conn),
            "syncs": syncs,
        }


def print_outcome(console: Console, outcome: dict[str, Any]) -> None:
    """Print what a run did: records read and landed, and how it ended."""
    render.print_data_source(console, outcome["data_source"])
    for sync in _by_source(outcome["syncs"]):
        counts = f"{sync['new']} new, {sync['changed']} changed, {sync['unchanged']} unchanged"
        quarantined = f", [red]{sync['quarantined']} in quarantine[/red]" if sync["quarantined"] else ""
        nothing = "  [green]nothing changed[/green]" if not sync["new"] + sync["changed"] else ""
        console.print(
            f"{sync['entity']:>10}: {sync['read']:,} records read in {sync['pages']} pages: {counts}"
            f"{quarantined}{nothing}"
        )
        if sync["missing"]:
            console.print(
                f"{'':>10}  [yellow]{sync['missing']} known records were not returned, and are not marked as "
                "deleted: see ops.error_logs[/yellow]",
                soft_wrap=True,
            )
        if sync["status"] == "partial":
            console.print(f"{'':>10}  [yellow]{escape(sync['reason'] or '')}[/yellow]", soft_wrap=True)
    for error in outcome["errors"]:
        console.print(f"[red]failed[/red] {escape(error)}", soft_wrap=True)
    colour = "green" if outcome["status"] == "success" else "red"
    console.print(f"[{colour}]{outcome['job']}: {outcome['status']}[/{colour}] in {outcome['seconds']} s")


def print_demo(console: Console, deployment: Deployment, outcome: dict[str, Any]) -> None:
    """Print what the demo did, its tables, the last full week's heatmap, and where to go on."""
    console.print()
    print_outcome(console, outcome)
    if outcome["status"] == "failed":
        console.print("See the run in the UI (`make ui`), and 'When it fails' in docs/operations.md.")
        return
    table = Table(title="Rows per table", title_justify="left", show_edge=False, box=None, padding=(0, 2))
    table.add_column("table")
    table.add_column("rows", justify="right")
    for name, rows in _by_table(outcome["tables"]).items():
        table.add_row(name, f"{rows:,}")
    console.print()
    console.print(table)
    with connection.connect(deployment.url) as conn:
        targets = sla_targets.summary(conn)
        week = heatmaps.last_full_week(conn)
        if week:
            render.print_heatmap(console, heatmaps.read(conn, week))
            print_sources(console, conn, week)
    console.print(
        f"\nWhat is above was made by the sandbox (clock: {deployment.settings.sandbox_clock}): it is not real.\n"
        f"[bold]SLA[/bold]        targets: {targets}\n"
        f"[bold]Data[/bold]       {deployment.settings.data_path}\n"
        f"[bold]BI, psql[/bold]   {connection.without_password(deployment.url)}  "
        "(b2chat db url: with password; b2chat db up: keep it running)\n"
        "[bold]Dagster[/bold]    make ui  (b2chat ui --demo, where the settings name other data)",
        soft_wrap=True,
    )


def count_rows(url: str) -> dict[str, int]:
    """The rows of each table of raw, core and marts: all are read, so only of a demo, which is small."""
    with connection.connect(url) as conn:
        names = conn.execute(
            """
            select nspname, relname from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
            where nspname in ('raw', 'core', 'marts') and relkind in ('r', 'p') and not relispartition
            order by array_position(array['raw', 'core', 'marts'], nspname::text), relname
            """
        ).fetchall()
        counts = {}
        for schema, table in names:
            count = conn.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))).fetchone()
            counts[f"{schema}.{table}"] = count[0] if count else 0
        return counts


@contextlib.contextmanager
def _dbt_output_to_file(deployment: Deployment) -> Iterator[None]:
    """dbt's own lines go to a file, which docs/operations.md names; ours stay on the terminal."""
    folder = deployment.settings.data_path / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "dbt.log").open("w") as log, contextlib.redirect_stdout(log):
        yield


def _steps_with_config(definition: dg.JobDefinition, config: dict[str, Any]) -> list[str]:
    """The steps whose config has the given fields."""
    if not config:
        return []
    schemas = {node.name: node.definition.config_schema for node in definition.graph.nodes}
    fields = {name: getattr(getattr(schema, "config_type", None), "fields", {}) for name, schema in schemas.items()}
    return [name for name, known in fields.items() if set(config) <= set(known)]


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    failures = [event.job_failure_data for event in result.all_events if event.is_job_failure]
    return any(data.failure_reason == RunFailureReason.UNEXPECTED_TERMINATION for data in failures)


def _syncs(conn: psycopg.Connection, began: datetime) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """
            select
                logs.source, logs.entity_type as entity, logs.status,
                coalesce(logs.error_message, logs.metadata ->> 'reason') as reason,
                coalesce((logs.metadata ->> 'deleted')::integer, 0) as deleted,
                coalesce((logs.metadata ->> 'missing')::integer, 0) as missing,
                count(pages.load_id) as pages,
                coalesce(sum(pages.record_count), 0) as read,
                coalesce(sum(pages.new_count), 0) as new,
                coalesce(sum(pages.changed_count), 0) as changed,
                coalesce(sum(pages.unchanged_count), 0) as unchanged,
                coalesce(sum(pages.quarantined_count), 0) as quarantined,
                -- A file that cannot be read is named, and is no reason to come back: another sync would read no more.
                logs.status = 'partial' and (
                    coalesce((logs.metadata ->> 'paused')::boolean, false)
                    or coalesce(jsonb_array_length(logs.metadata -> 'windows_incomplete'), 0) > 0
                ) as is_unfinished
            from ops.sync_logs as logs
            left join ops.page_loads as pages on pages.sync_id = logs.id
            where logs.started_at >= %s
            group by logs.id, logs.started_at order by logs.started_at
            """,
            [began],
        ).fetchall()


def _cause_of_run(event: dg.DagsterEvent) -> str:
    """What ended a run of which no step failed. The kind alone: its text may name anything."""
    error = event.job_failure_data.error
    return f"{event.job_name}: {error.cls_name if error else 'no reason given'}; the run's page in the UI says more"


def _cause(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    while error and error.cause:
        error = error.cause
    return f"{event.step_key}: {error.message.strip() if error else 'no reason given'}"


def _by_source(syncs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The syncs one by one; those of a source of many tables as one line, but for what needs a look at."""
    of_source = Counter(sync["source"] for sync in syncs)
    for source, group in itertools.groupby(syncs, key=lambda sync: sync["source"]):
        told = list(group)
        if of_source[source] <= _MAX_LINES:
            yield from told
            continue
        counted = ("pages", "read", "new", "changed", "unchanged", "quarantined", "missing")
        yield {"entity": source, "status": "success"} | {name: sum(sync[name] for sync in told) for name in counted}
        yield from (sync for sync in told if sync["status"] == "partial")


def _by_table(counts: dict[str, int]) -> dict[str, int]:
    """The rows of each table; the raw tables of a source that has many are one line."""
    sources = {name: name.split("_")[0] for name in counts if name.startswith("raw.")}
    of_source, told = Counter(sources.values()), dict[str, int]()
    for name, rows in counts.items():
        many = of_source.get(sources.get(name, ""), 0)
        shown = f"{sources[name]}_… ({many} tables)" if many > _MAX_LINES else name
        told[shown] = told.get(shown, 0) + rows
    return told
