"""`b2chat audit`: what is wrong with the database, and what would mend it."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.markup import escape

from dagster_project.cli.command_line import FAILED, JsonOption, console, print_answer
from dagster_project.database_audit import audit as audits
from dagster_project.database_audit.audit import Audit
from dagster_project.database_audit.findings import SEVERITIES, Finding
from dagster_project.database_audit.kept import kept_days
from dagster_project.database_audit.schemas import NoSuchSchema
from dagster_project.deployment import environment
from dagster_project.settings import Settings
from dagster_project.warehouse import connection

FAULTS = (NoSuchSchema,)  # whose text is one line for the user


class FailOn(StrEnum):
    """The least severity that ends the command with exit code 1."""

    ERROR, WARNING, INFO, NEVER = "error", "warning", "info", "never"


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
        done = audits.run(conn, settings.zone, schema=schema, watch_seconds=watch, kept=kept_days(settings))
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
        shown = finding.severity if finding.exception is None else f"excepted until {finding.exception[1]}"
        console.print(f"[bold]{finding.rule} {shown}[/bold]  {escape(finding.object)}: {escape(finding.evidence)}")
        for line in (finding.fix or "").splitlines():
            console.print(f"      {escape(line)}")
    for finding in done.of("not_checked"):
        console.print(f"{finding.rule} not checked  {finding.check}: {escape(finding.evidence)}")
    if done.skipped:
        console.print(f"skipped, as it was swapped meanwhile: {escape(', '.join(done.skipped))}")
    counts = ", ".join(f"{len(done.of(severity))} {severity.replace('_', ' ')}" for severity in SEVERITIES)
    console.print(f"{', '.join(done.schemas)}: {counts}")
