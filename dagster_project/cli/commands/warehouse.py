"""`b2chat db …`: the warehouse's Postgres; `b2chat audit`: what is wrong with it, and what would mend it."""

import shutil
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.markup import escape

from dagster_project.cli.child_process import run_child
from dagster_project.cli.command_line import FAILED, JsonOption, console, print_answer
from dagster_project.database_audit import audit as audits
from dagster_project.database_audit.audit import Audit
from dagster_project.database_audit.backups import backup_faults
from dagster_project.database_audit.findings import ALL, SEVERITIES, Finding
from dagster_project.database_audit.kept import kept_days
from dagster_project.database_audit.schemas import NoSuchSchema
from dagster_project.deployment import environment
from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import binaries, connection, embedded
from dagster_project.warehouse.access import bi_access

FAULTS = (NoSuchSchema,)  # whose text is one line for the user


class FailOn(StrEnum):
    """The least severity that ends the command with exit code 1."""

    ERROR, WARNING, INFO, NEVER = "error", "warning", "info", "never"


def up() -> None:
    """Start the embedded Postgres and let it run on, for BI tools, until `b2chat db down`."""
    settings = Settings.load()
    if not connection.configured_url(settings):
        embedded.keep(settings.data_path / "pg", True)
    with environment.running(settings) as deployment:
        shown = connection.without_password(deployment.url)
        console.print(f"up: {shown}  (`b2chat db bi-url` prints the address for BI tools)")


def down() -> None:
    """Stop the embedded Postgres as soon as nobody uses it any more."""
    settings = Settings.load()
    if connection.configured_url(settings):
        raise SettingsError("DATABASE_URL (or POSTGRES_HOST) is set: that server is not ours to stop")
    embedded.keep(settings.data_path / "pg", False)
    with connection.warehouse(settings):
        pass
    console.print("down (another `b2chat` that still runs keeps it up until it ends)")


def url(as_json: JsonOption = False) -> None:
    """Print the warehouse's address, with its owner's password, for psql and administration."""
    with environment.running(Settings.load()) as deployment:
        print_answer(as_json, {"url": deployment.url}, lambda: print(deployment.url))  # noqa: T201


def bi_url(as_json: JsonOption = False) -> None:
    """Print the address for BI tools, with its password: the role bi_reader, which reads the marts and nothing else."""
    with environment.running(settings := Settings.load()) as deployment:
        address = bi_access.url_with_password(settings, deployment.url)
        print_answer(as_json, {"url": address}, lambda: print(address))  # noqa: T201


def bi_sql(as_json: JsonOption = False) -> None:
    """Print the SQL that makes bi_reader with its limits, for an administrator of a server where we may not."""
    with environment.running(settings := Settings.load()) as deployment:
        script = bi_access.script(settings, deployment.url)
        print_answer(as_json, {"sql": script}, lambda: print(script))  # noqa: T201


def psql(context: typer.Context) -> None:
    """Open a prompt on the warehouse; arguments go to psql (`b2chat db psql -c "select 1"`)."""
    settings = Settings.load()
    # The packaged psql speaks no TLS, which a named server may ask for.
    of_the_machine = shutil.which("psql") if connection.configured_url(settings) else None
    with environment.running(settings):
        program = of_the_machine or str(binaries.find(settings.pg_bin).folder / "psql")
        raise typer.Exit(run_child([program, *context.args]))


def audit(
    schema: Annotated[str | None, typer.Option(help="One schema alone; without, all of ours and the server.")] = None,
    fail_on: Annotated[FailOn, typer.Option(help="The least severity that makes the exit code 1.")] = FailOn.ERROR,
    watch: Annotated[
        float, typer.Option(min=0, max=600, help="Seconds to watch the statements that go on, for a query a row.")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Audit the database: keys, indexes, bloat, partitions, slow statements, rights. Prints fixes, changes nothing."""
    settings = Settings.load()
    with environment.running(settings) as deployment, connection.connect(deployment.url, autocommit=True) as conn:
        done = audits.run(
            conn,
            settings.zone,
            schema=schema,
            watch_seconds=watch,
            kept=kept_days(settings),
            backups=backup_faults(settings, conn),
        )
    print_answer(as_json, _as_dict(done), lambda: _print(done))
    grave = SEVERITIES[: SEVERITIES.index(fail_on.value) + 1] if fail_on is not FailOn.NEVER else ()
    if done.of(*grave):
        raise typer.Exit(FAILED)


def _as_dict(done: Audit) -> dict[str, Any]:
    return {
        "schemas": done.schemas,
        "counts": {severity: len(done.of(severity)) for severity in SEVERITIES},
        "findings": [_finding_as_dict(finding) for finding in done.findings],
        "skipped": done.skipped,
        "took_snapshot": done.took_snapshot,
    }


def _finding_as_dict(finding: Finding) -> dict[str, Any]:
    reason, until = finding.exception or (None, None)
    return asdict(finding) | {"exception": {"reason": reason, "until": until} if reason else None}


def _print(done: Audit) -> None:
    for finding in done.findings:
        if finding.severity == "not_checked":
            continue
        console.print(
            f"[bold]{finding.rule} {escape(finding.standing)}[/bold]  "
            f"{escape(finding.object)}: {escape(finding.evidence)}"
        )
        for line in (finding.fix or "").splitlines():
            console.print(f"      {escape(line)}")
    for finding in done.of("not_checked"):
        what = finding.check if finding.object == ALL else f"{finding.check} {escape(finding.object)}"
        console.print(f"{finding.rule} not checked  {what}: {escape(finding.evidence)}")
    if done.skipped:
        console.print(f"skipped, as it was swapped meanwhile: {escape(', '.join(done.skipped))}")
    counts = ", ".join(f"{len(done.of(severity))} {severity.replace('_', ' ')}" for severity in SEVERITIES)
    console.print(f"{', '.join(done.schemas)}: {counts}")
