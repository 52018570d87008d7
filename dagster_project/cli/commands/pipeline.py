"""The commands that run the pipeline: demo, refresh, sync, build, check, status, metrics, retry-quarantine."""

import os
from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli.command_line import (
    FAILED,
    JsonOption,
    console,
    day,
    exit_by,
    in_order,
    print_answer,
    run_and_print,
    warn,
)
from dagster_project.deployment import environment, own_schemas
from dagster_project.settings import DATABASES, Settings, SettingsError
from dagster_project.warehouse import connection, data_source, fitness, system_settings


def demo(
    advance: Annotated[int, typer.Option(min=0, help="Days to move the sandbox's clock on before the run.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Run the main job on embedded defaults, with data that the sandbox makes, and show what it did.

    A Postgres, an account or a key that the settings name is not touched.

    A second run takes up where the first ended; with the sandbox's clock held still, nothing has changed by then.
    """
    settings = demo_settings(timedelta(days=advance))
    with environment.running(settings) as deployment:
        from dagster_project.cli import run_job  # noqa: PLC0415

        outcome = run_job.run(deployment, "refresh_all", quiet=as_json)
        outcome["tables"] = run_job.count_rows(deployment.url)
        print_answer(as_json, outcome, lambda: run_job.print_demo(console, deployment, outcome))
        exit_by(outcome)


def refresh(as_json: JsonOption = False) -> None:
    """Run the main job on what the settings name: read, build, test and categorize what is new."""
    run_and_print("refresh_all", as_json, needs_source=True)


class Sources(StrEnum):
    """What is synchronized."""

    ALL, B2CHAT, ROOMS, CALLS = "all", "b2chat", "rooms", "calls"


def sync(
    source: Annotated[Sources, typer.Option("--source", help="Which source to read; all: those that are on.")] = (
        Sources.ALL
    ),
    full: Annotated[bool, typer.Option("--full", help="Read every day again since the start date.")] = False,
    sweep: Annotated[bool, typer.Option("--sweep", help="Read all of the last B2CHAT_SWEEP_DAYS days again.")] = False,
    first: Annotated[str | None, typer.Option("--from", help="Read the creation days from this one again, …")] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="… to this one, YYYY-MM-DD; also before B2CHAT_START_DATE. Or one.")
    ] = None,
    confirm_deletions: Annotated[
        bool, typer.Option("--confirm-deletions", help="Mark as deleted what is gone, even if it is most.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read the sources and land what changed in the schema `raw` (the raw assets, without dbt).

    Rooms and calls know which rows are new, so for them --full means all rows, and days mean nothing.
    """
    if sum([full, sweep, bool(first or last)]) > 1:
        raise typer.BadParameter("--full, --sweep and --from/--to exclude each other")
    settings = environment.for_work(Settings.load())
    if source in DATABASES:
        if first or last:
            raise typer.BadParameter(f"{source} have no days to read again")
        if confirm_deletions and source == Sources.ROOMS:
            raise typer.BadParameter("rooms tell themselves what was deleted")
        if not (settings.is_on(source) or own_schemas.is_made(settings, source)):
            raise SettingsError(f"{source} are off: set {source.upper()}_DATABASE_URL")
    if first or last:
        day_from, day_to = day(first or last, "--from"), day(last or first, "--to")
        in_order(day_from, day_to)
        if day_to > (today := environment.today(settings)):
            raise typer.BadParameter(f"{day_to} is in the future: today is {today}", param_hint="--from/--to")
        job, config = "backfill_days", {"mode": "backfill", "date_start": str(day_from), "date_end": str(day_to)}
    else:
        mode = "full" if full else "sweep" if sweep else "incremental"
        job, config = _sync_job(settings, source, mode), {"mode": mode}
    given = config | ({"confirm_deletions": True} if confirm_deletions else {})
    run_and_print(
        job,
        as_json,
        needs_source=job not in ("sync_databases", "sync_rooms", "sync_calls"),
        config=None if given == {"mode": "incremental"} else given,
    )


def _sync_job(settings: Settings, source: Sources, mode: str) -> str:
    """The job that reads what was asked for."""
    if source != Sources.ALL:
        return f"sync_{source}"
    has_b2chat = settings.sandbox != "off" or settings.has_account
    if not has_b2chat and any(map(settings.is_on, DATABASES)):
        return "sync_databases"
    return {"full": "sync_full", "sweep": "sweep_recent"}.get(mode, "sync_all")


def build(
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Make every model anew from raw.")] = False,
    with_archives: Annotated[
        bool, typer.Option("--with-archives", help="Restore all archived months, then make every model anew.")
    ] = False,
    test_everything: Annotated[
        bool, typer.Option("--test-everything", help="Test all rows, not only those that the build read.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Build core and marts with dbt from what has landed, and test them."""
    config = {"full_refresh": full_refresh, "test_everything": test_everything, "force": True}
    config |= {"with_archives": True} if with_archives else {}
    run_and_print("build_marts", as_json, needs_source=False, starts_with_dbt=True, config=config)


def check(as_json: JsonOption = False) -> None:
    """Check settings, warehouse, account, dbt project, classifier and store of exports, and say what is wrong."""
    from dagster_project.cli import health_checks  # noqa: PLC0415

    settings = environment.for_work(Settings.load())
    try:
        with environment.running(settings) as deployment:
            results = health_checks.run_checks(deployment)
    except fitness.UnfitServer as server:
        results = health_checks.unfit(server)
    print_answer(
        as_json, {"checks": [vars(result) for result in results]}, lambda: health_checks.print_results(console, results)
    )
    if any(not result.ok for result in results):
        raise typer.Exit(FAILED)


def status(as_json: JsonOption = False) -> None:
    """Show how far each entity is read, what failed, what is in quarantine, and what notifications are unread."""
    from dagster_project.alerts.episodes import unread  # noqa: PLC0415
    from dagster_project.cli import render  # noqa: PLC0415
    from dagster_project.ingestion.status import sync_status  # noqa: PLC0415
    from dagster_project.sources.catalog import SOURCES  # noqa: PLC0415

    settings = Settings.load()
    with environment.running(settings) as deployment, connection.connect(deployment.url) as conn:
        states = [
            state
            for state in sync_status(conn, SOURCES, deployment.settings.today())
            if state.last_sync_at or deployment.settings.is_on(state.source)
        ]
        news, source = unread(conn), data_source.kind_of(conn)
    answer = {"data_source": source, "entities": [asdict(state) for state in states], "notifications": news}
    if not as_json:
        render.print_data_source(console, source)
    print_answer(as_json, answer, lambda: render.print_status(console, states, news))


def metrics(
    out: Annotated[
        Path | None, typer.Option(help="File to write, whole or not at all, for node_exporter's textfile collector.")
    ] = None,
) -> None:
    """Print how the pipeline is in the text format of Prometheus: freshness, records, quarantine, runs, AI, alerts."""
    from dagster_project.deployment.metrics import read  # noqa: PLC0415

    settings = Settings.load()
    # Without migrations: this is asked every minute, and changes nothing.
    with connection.warehouse(settings) as url, connection.connect(url, autocommit=True) as conn:
        if connection.has_relation(conn, "ops.system_settings"):  # it may be a warehouse of an earlier version
            settings = system_settings.effective(conn, settings)
        text = read(conn, settings, environment.today(settings))
    if out is None:
        print(text, end="")  # noqa: T201
        return
    half = out.with_name(f".{out.name}.{os.getpid()}")
    half.write_text(text)
    half.chmod(0o644)  # it is made for another program
    half.replace(out)


def retry_quarantine(as_json: JsonOption = False) -> None:
    """After a fix: read the records in quarantine again and land those that pass."""
    run_and_print("retry_quarantine", as_json, needs_source=False)


def demo_settings(advance: timedelta = timedelta(0)) -> Settings:
    """The demo's settings; on the error stream, which of the settings are not heeded, and where its data is then."""
    settings = Settings.load()
    if left_out := environment.left_out_of_demo(settings):
        warn(f"the demo is on its own: {', '.join(left_out)} not used")
    own = environment.demo_has_own_folder(settings)
    chosen = environment.for_demo(settings, advance=advance)
    if own:
        warn(f"its data is in {chosen.data_path}; `b2chat ui --demo` opens it")
    return chosen
