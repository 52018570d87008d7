"""The commands on what chats are about: analyze, analyses, analysis delete, evaluate."""

from dataclasses import asdict, fields
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dagster_project.cli.command_line import (
    FAILED,
    MISUSED,
    JsonOption,
    console,
    day,
    exit_by,
    fail,
    in_order,
    print_answer,
)
from dagster_project.deployment import environment
from dagster_project.settings import Settings
from dagster_project.warehouse import connection, data_source
from dagster_project.warehouse.access import audit_log, users


class Classifiers(StrEnum):
    """What `evaluate` can score."""

    RULES = "rules-v1"
    CLAUDE = "claude"


def analyze(
    first: Annotated[str | None, typer.Option("--from", help="First local day. Default: 29 days before --to.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last local day. Default: the newest with chats.")] = None,
    agent: Annotated[list[str] | None, typer.Option(help="An agent's name or id; may be given up to 50 times.")] = None,
    department: Annotated[list[str] | None, typer.Option(help="A department's name or id; up to 20.")] = None,
    contact: Annotated[list[str] | None, typer.Option(help="Id of a contact; up to 100.")] = None,
    sample_rate: Annotated[float, typer.Option(help="Share of the chats, by the hash of their ids; 1 is all.")] = 1.0,
    by: Annotated[str, typer.Option(help="Who asks. Default: the account that runs this.")] = "",
    max_usd: Annotated[float, typer.Option(min=0, help="Claude: most USD for this analysis.")] = 5.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Claude: say what it would cost; send nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Analyse the chats of up to 90 days: what customers wanted, how they felt, how quick and good the answers were."""
    from dagster_project.analysis.customer_analysis import analyses, request  # noqa: PLC0415
    from dagster_project.cli import render, run_job  # noqa: PLC0415

    since, until = day(first, "--from") if first else None, day(last, "--to") if last else None
    in_order(since, until)
    asked = request.Request(
        since, until, by or users.account(), agent or (), department or (), contact or (), sample_rate
    )
    with environment.running(environment.for_work(Settings.load())) as deployment:
        with connection.connect(deployment.url, autocommit=True) as conn:
            try:
                asked = request.checked(conn, asked)
            except request.Refused as error:
                fail(str(error), MISUSED)
            if dry_run:
                _print_cost(conn, deployment.settings, asked, max_usd, as_json)
                return
        outcome = run_job.run(
            deployment,
            "customer_analysis",
            {**asked.filters, "triggered_by": asked.triggered_by, "sample_rate": asked.sample_rate, "max_usd": max_usd},
            quiet=as_json,
        )
        with connection.connect(deployment.url) as conn:
            made, source = analyses.of_run(conn, outcome["run_id"]), data_source.kind_of(conn)
    answer = {"data_source": source, "analysis": made, "status": outcome["status"], "errors": outcome["errors"]}
    if not as_json:
        render.print_data_source(console, source)
    print_answer(as_json, answer, lambda: render.print_analysis(console, made, outcome["errors"]))
    exit_by({"status": "partial"} if made and made["status"] == "PARTIAL" else outcome)


def list_analyses(as_json: JsonOption = False) -> None:
    """List the newest customer analyses, and how they went."""
    from dagster_project.analysis.customer_analysis import analyses  # noqa: PLC0415
    from dagster_project.cli import render  # noqa: PLC0415

    with (
        environment.running(Settings.load()) as deployment,
        connection.connect(deployment.url, autocommit=True) as conn,
    ):
        analyses.fail_abandoned(conn)
        made, source = analyses.newest(conn), data_source.kind_of(conn)
    if not as_json:
        render.print_data_source(console, source)
    print_answer(as_json, {"data_source": source, "analyses": made}, lambda: render.print_analyses(console, made))


def delete_analysis(analysis_id: Annotated[str, typer.Argument(help="Its id, as `b2chat analyses` shows it.")]) -> None:
    """Delete an analysis with its categorizations, its KPIs and the records of its exports."""
    from dagster_project.analysis.customer_analysis import analyses  # noqa: PLC0415

    with (
        environment.running(Settings.load()) as deployment,
        connection.connect(deployment.url, autocommit=True) as conn,
    ):
        users.require(conn, users.account(), "delete an analysis", role="Admin")
        audit_log.acting(conn, users.account())
        try:
            analyses.delete(conn, analysis_id)
        except analyses.NoSuchAnalysis as error:
            fail(str(error), FAILED)
    console.print(f"deleted {analysis_id}")


def evaluate(
    file: Annotated[Path, typer.Argument(help="JSONL, a labelled chat a line: `text` or `messages`, with labels.")],
    classifier: Annotated[Classifiers, typer.Option(help="Which classifier to score.")] = Classifiers.RULES,
    lexicon: Annotated[Path | None, typer.Option(help="Lexicon of the rules, instead of the one shipped.")] = None,
    against: Annotated[Path | None, typer.Option(help="A second lexicon to compare with, on the same chats.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Score a classifier on labelled chats: accuracy, F1, kappa, confusion, calibration, cost."""
    from dagster_project.analysis.classifiers import Unusable, classifier_of, taxonomy_of  # noqa: PLC0415
    from dagster_project.analysis.claude.messages import StopRun  # noqa: PLC0415
    from dagster_project.analysis.evaluation import scores  # noqa: PLC0415
    from dagster_project.cli import render  # noqa: PLC0415

    settings = Settings.load()
    try:
        labels = taxonomy_of(settings)
        labelled = scores.read_labelled(file, labels)
        unsure = settings.review_confidence
        report = scores.evaluate(classifier_of(classifier, settings, lexicon), labelled, unsure, labels)
        other = None
        if against:
            other = scores.evaluate(classifier_of(Classifiers.RULES, settings, against), labelled, unsure, labels)
    except (scores.UnreadableSet, Unusable) as error:
        fail(str(error), MISUSED)
    except StopRun as error:
        fail(str(error), FAILED)
    answer = asdict(report) | ({"against": asdict(other)} if other else {})
    print_answer(as_json, answer, lambda: render.print_evaluation(console, report, other))


def _print_cost(conn: Any, settings: Settings, asked: Any, max_usd: float, as_json: bool) -> None:
    """What Claude would cost for an analysis; nothing is sent."""
    from dagster_project.analysis import classifiers  # noqa: PLC0415
    from dagster_project.analysis.claude.categorize import estimate  # noqa: PLC0415
    from dagster_project.analysis.claude.run import Limits  # noqa: PLC0415
    from dagster_project.analysis.customer_analysis import materialize  # noqa: PLC0415
    from dagster_project.analysis.work import IDLE_HOURS  # noqa: PLC0415
    from dagster_project.cli import render  # noqa: PLC0415

    try:
        claude = classifiers.claude_of(settings)
    except classifiers.Unusable as error:
        fail(str(error), MISUSED)
    expected = estimate(
        conn,
        claude,
        limits=Limits(timedelta(hours=IDLE_HOURS), max_usd, settings.ai_monthly_usd),
        run_id="dry run",
        chat_ids=materialize.select_chats(conn, asked)[1],
    )
    answer = {field.name: getattr(expected, field.name) for field in fields(expected)}
    print_answer(as_json, answer, lambda: render.print_estimate(console, expected))
