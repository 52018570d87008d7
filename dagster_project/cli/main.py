"""The command `b2chat`. Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 3 ended early (the day's ration)."""

import contextlib
import getpass
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, fields
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from dagster_project.cli import export_commands, review_commands
from dagster_project.cli.command_line import JsonOption, console, day, in_order, print_answer
from dagster_project.cli.harmless import visible
from dagster_project.deployment import environment
from dagster_project.deployment import sandbox as sandbox_source
from dagster_project.exports.pictures import heatmap as heatmaps
from dagster_project.exports.requests import LAST
from dagster_project.ingestion.status import sync_status
from dagster_project.ingestion.watch import notifications
from dagster_project.orchestration import single_dbt
from dagster_project.settings import PROJECT_ROOT, Settings, SettingsError
from dagster_project.sources.b2chat.sandbox import server
from dagster_project.warehouse import (
    bi_access,
    binaries,
    connection,
    data_source,
    directory,
    embedded,
    fitness,
    migrations,
)

FAILED, MISUSED, PARTIAL = 1, 2, 3


class Classifiers(StrEnum):
    """What `evaluate` can score."""

    RULES = "rules-v1"
    CLAUDE = "claude"


class Members(StrEnum):
    """What `list` can list."""

    AGENTS, DEPARTMENTS, CHANNELS = "agents", "departments", "channels"


app = typer.Typer(
    name="b2chat",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Turn B2Chat conversations into numbers that a support manager acts on, in your own Postgres.\n\n"
    "Start with **b2chat demo**: it needs no account and no database. For a real account set B2CHAT_CLIENT_ID and "
    "B2CHAT_CLIENT_SECRET (environment or `.env`), look with **b2chat check**, then run **b2chat sync** and "
    "**b2chat build**, or open the Dagster UI with **b2chat ui**.\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 3 ended early because the day's requests are used up.",
)
db = typer.Typer(no_args_is_help=True, help="The warehouse's Postgres: start, stop, address, prompt.")
app.add_typer(db, name="db")
analysis = typer.Typer(no_args_is_help=True, help="Customer analyses: delete one.")
app.add_typer(analysis, name="analysis")
app.add_typer(export_commands.export, name="export")
app.add_typer(export_commands.exports, name="exports")
app.add_typer(review_commands.review, name="review")


def main() -> None:
    """Run the command line: faults of settings and of the machine become one line and an exit code."""
    # What we and our children write is its owner's alone: it may hold what customers said.
    os.umask(0o077)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        app()
    except (SettingsError, *review_commands.FAULTS) as error:
        _fail(str(error), MISUSED)
    except (
        binaries.PostgresMissing,
        migrations.NewerWarehouse,
        heatmaps.NoSuchWeek,
        directory.NoSuchMember,
        *export_commands.FAULTS,
    ) as error:
        _fail(str(error), FAILED)


@app.command()
def demo(
    advance: Annotated[int, typer.Option(min=0, help="Days to move the sandbox's clock on before the run.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Run the main job on embedded defaults, with data that the sandbox makes, and show what it did.

    A Postgres, an account or a key that the settings name is not touched.

    A second run takes up where the first ended; with the sandbox's clock held still, nothing has changed by then.
    """
    settings = _for_demo(timedelta(days=advance))
    with environment.running(settings) as standing:
        from dagster_project.cli import run_job  # noqa: PLC0415

        outcome = run_job.run(standing, "refresh_all", quiet=as_json)
        print_answer(as_json, outcome, lambda: run_job.tell_demo(console, standing, outcome))
        _leave(outcome)


@app.command()
def refresh(as_json: JsonOption = False) -> None:
    """Run the main job on what the settings name: read, build, test and categorize what is new."""
    _run_job("refresh_all", as_json, needs_source=True)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port of the UI on 127.0.0.1.")] = 3000,
    of_demo: Annotated[bool, typer.Option("--demo", help="On the demo's data, whatever the settings name.")] = False,
) -> None:
    """Open the Dagster UI on the same data (where only a demo was run: on the demo's). Ctrl-C stops it."""
    settings = _for_demo() if of_demo else environment.for_work(Settings.load())
    with environment.running(settings):
        console.print(f"Dagster UI: http://127.0.0.1:{port}  (Ctrl-C stops it)")
        # Dagster's advice to use another program (`dg`) is of no use to whoever opens the UI.
        os.environ["PYTHONWARNINGS"] = "ignore:Function `dev_command` is superseded"
        raise typer.Exit(_run_child(["dagster", "dev", "--host", "127.0.0.1", "--port", str(port)]))


@app.command()
def check(as_json: JsonOption = False) -> None:
    """Look at settings, warehouse, account, dbt project, classifier and store of exports, and say what is wrong."""
    from dagster_project.cli import health_checks  # noqa: PLC0415

    settings = environment.for_work(Settings.load())
    try:
        with environment.running(settings) as standing:
            findings = health_checks.examine(standing)
    except fitness.UnfitServer as server:
        findings = health_checks.unfit(server)
    print_answer(
        as_json, {"checks": [vars(finding) for finding in findings]}, lambda: health_checks.tell(console, findings)
    )
    if any(not finding.ok for finding in findings):
        raise typer.Exit(FAILED)


@app.command()
def sync(
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
    """Read B2Chat and land what changed in the schema `raw` (the raw assets, without dbt)."""
    if sum([full, sweep, bool(first or last)]) > 1:
        raise typer.BadParameter("--full, --sweep and --from/--to exclude each other")
    if first or last:
        day_from, day_to = day(first or last, "--from"), day(last or first, "--to")
        in_order(day_from, day_to)
        if day_to > (today := environment.today(environment.for_work(Settings.load()))):
            raise typer.BadParameter(f"{day_to} is in the future: today is {today}", param_hint="--from/--to")
        _run_job(
            "backfill_days",
            as_json,
            needs_source=True,
            config={
                "mode": "backfill",
                "date_start": str(day_from),
                "date_end": str(day_to),
                "confirm_deletions": confirm_deletions,
            },
        )
    else:
        job, mode = (
            ("sync_full", "full") if full else ("sweep_recent", "sweep") if sweep else ("sync_b2chat", "incremental")
        )
        _run_job(
            job,
            as_json,
            needs_source=True,
            config={"mode": mode, "confirm_deletions": True} if confirm_deletions else None,
        )


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Say how far each entity is read, what failed, what is in quarantine, and what notifications are unread."""
    from dagster_project.cli import render  # noqa: PLC0415

    settings = Settings.load()
    with environment.running(settings) as standing, connection.connect(standing.url) as conn:
        states = sync_status(conn, standing.settings.today())
        unread, source = notifications(conn), data_source.kind_of(conn)
    answer = {"data_source": source, "entities": [asdict(state) for state in states], "notifications": unread}
    if not as_json:
        render.print_data_source(console, source)
    print_answer(as_json, answer, lambda: render.print_status(console, states, unread))


@app.command()
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
        since, until, by or getpass.getuser(), agent or (), department or (), contact or (), sample_rate
    )
    with environment.running(environment.for_work(Settings.load())) as standing:
        with connection.connect(standing.url, autocommit=True) as conn:
            try:
                asked = request.checked(conn, asked)
            except request.Refused as error:
                _fail(str(error), MISUSED)
            if dry_run:
                _tell_cost(conn, standing.settings, asked, max_usd, as_json)
                return
        outcome = run_job.run(
            standing,
            "customer_analysis",
            {**asked.filters, "triggered_by": asked.triggered_by, "sample_rate": asked.sample_rate, "max_usd": max_usd},
            quiet=as_json,
        )
        with connection.connect(standing.url) as conn:
            made, source = analyses.of_run(conn, outcome["run_id"]), data_source.kind_of(conn)
    answer = {"data_source": source, "analysis": made, "status": outcome["status"], "errors": outcome["errors"]}
    if not as_json:
        render.print_data_source(console, source)
    print_answer(as_json, answer, lambda: render.print_analysis(console, made, outcome["errors"]))
    _leave({"status": "partial"} if made and made["status"] == "PARTIAL" else outcome)


@app.command(name="analyses")
def list_analyses(as_json: JsonOption = False) -> None:
    """List the newest customer analyses, and how they went."""
    from dagster_project.analysis.customer_analysis import analyses  # noqa: PLC0415
    from dagster_project.cli import render  # noqa: PLC0415

    with environment.running(Settings.load()) as standing, connection.connect(standing.url, autocommit=True) as conn:
        analyses.close_killed(conn)
        made, source = analyses.newest(conn), data_source.kind_of(conn)
    if not as_json:
        render.print_data_source(console, source)
    print_answer(as_json, {"data_source": source, "analyses": made}, lambda: render.print_analyses(console, made))


@analysis.command(name="delete")
def delete_analysis(analysis_id: Annotated[str, typer.Argument(help="Its id, as `b2chat analyses` shows it.")]) -> None:
    """Delete an analysis with its categorizations, its KPIs and the records of its exports."""
    from dagster_project.analysis.customer_analysis import analyses  # noqa: PLC0415

    with environment.running(Settings.load()) as standing, connection.connect(standing.url, autocommit=True) as conn:
        try:
            analyses.delete(conn, analysis_id)
        except analyses.NoSuchAnalysis as error:
            _fail(str(error), FAILED)
    console.print(f"deleted {analysis_id}")


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="JSONL, a labelled chat a line: `text` or `messages`, with labels.")],
    classifier: Annotated[Classifiers, typer.Option(help="Which classifier to score.")] = Classifiers.RULES,
    lexicon: Annotated[Path | None, typer.Option(help="Lexicon of the rules, instead of the one shipped.")] = None,
    against: Annotated[Path | None, typer.Option(help="A second lexicon to compare with, on the same chats.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Score a classifier on labelled chats: accuracy, F1, kappa, confusion, calibration, cost."""
    from dagster_project.analysis.classifiers import Unusable, classifier_of  # noqa: PLC0415
    from dagster_project.analysis.claude.messages import StopRun  # noqa: PLC0415
    from dagster_project.analysis.evaluation import scores  # noqa: PLC0415
    from dagster_project.cli import render  # noqa: PLC0415

    settings = Settings.load()
    try:
        labelled = scores.read_labelled(file)
        unsure = settings.review_confidence
        report = scores.evaluate(classifier_of(classifier, settings, lexicon), labelled, unsure)
        other = (
            scores.evaluate(classifier_of(Classifiers.RULES, settings, against), labelled, unsure) if against else None
        )
    except (scores.UnreadableSet, Unusable) as error:
        _fail(str(error), MISUSED)
    except StopRun as error:
        _fail(str(error), FAILED)
    answer = asdict(report) | ({"against": asdict(other)} if other else {})
    print_answer(as_json, answer, lambda: render.print_evaluation(console, report, other))


@app.command()
def fake_claude(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 picks a free one.")] = 8787,
    batch_seconds: Annotated[float, typer.Option(min=0, help="Seconds that a message batch is in progress.")] = 0,
) -> None:
    """Serve a stand-in for Claude, to try that path without a key. It answers by rules and says so. Ctrl-C stops it."""
    from dagster_project.analysis.claude import fake  # noqa: PLC0415

    with fake.running(port, batch_seconds) as claude, contextlib.suppress(KeyboardInterrupt):
        console.print(
            f"This is not Claude, it is {fake.MODEL}. In another terminal:\n"
            f"  export ANTHROPIC_BASE_URL={claude.url} ANTHROPIC_API_KEY=none"
        )
        signal.pause()


@app.command()
def retry_quarantine(as_json: JsonOption = False) -> None:
    """After a fix: read the records in quarantine again and land those that pass."""
    _run_job("retry_quarantine", as_json, needs_source=False)


@app.command()
def build(
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Make every model anew from raw.")] = False,
    test_everything: Annotated[
        bool, typer.Option("--test-everything", help="Test all rows, not only those that the build read.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Build core and marts with dbt from what has landed, and test them."""
    config = {"full_refresh": full_refresh, "test_everything": test_everything, "force": True}
    _run_job("build_marts", as_json, needs_source=False, config=config)


@app.command()
def heatmap(
    week: Annotated[
        str | None, typer.Option(help="Monday of the week, YYYY-MM-DD, or last. Default: the last full week.")
    ] = None,
    agent: Annotated[str, typer.Option(help="An agent's name or id, or all.")] = "all",
    direction: Annotated[StrEnum("Direction", heatmaps.DIRECTIONS), typer.Option()] = heatmaps.DEFAULT_DIRECTION,  # type: ignore[valid-type]
    office_hours: Annotated[StrEnum("OfficeHours", heatmaps.OFFICE_HOURS), typer.Option()] = "all",  # type: ignore[valid-type]
    as_json: JsonOption = False,
) -> None:
    """Print a week's response-time heatmap: of chats that customers began, if you say nothing else."""
    from dagster_project.cli import render  # noqa: PLC0415

    with environment.running(Settings.load()) as standing, connection.connect(standing.url) as conn:
        monday = day(week, "--week") if week and week != LAST else heatmaps.last_full_week(conn)
        if monday is None:
            raise heatmaps.NoSuchWeek(directory.NOTHING_YET)
        agent_id = agent if agent == "all" else directory.find(conn, "agent", agent)
        shown = heatmaps.read(conn, monday, agent_id=agent_id, direction=str(direction), office_hours=str(office_hours))
        if not shown.chat_count:
            raise heatmaps.NoSuchWeek(
                f"no chat of the week of {monday} was answered (agent: {directory.shortened(agent)}, "
                f"direction: {direction}, hours: {office_hours})"
            )
        source = data_source.kind_of(conn)
    if not as_json:
        render.print_data_source(console, source)
    answer = {"data_source": source} | render.heatmap_as_dict(shown)
    print_answer(as_json, answer, lambda: render.print_heatmap(console, shown))


@app.command(name="list")
def list_members(
    what: Annotated[Members, typer.Argument(help="What to list.")],
    as_json: JsonOption = False,
) -> None:
    """List the agents, departments or channels to filter by: each one's id, and the name, which works as well."""
    from dagster_project.cli import render  # noqa: PLC0415

    with environment.running(Settings.load()) as standing, connection.connect(standing.url) as conn:
        found = directory.members(conn, cast(directory.Kind, str(what).removesuffix("s")))
    answer = {str(what): [vars(member) for member in found]}
    print_answer(as_json, answer, lambda: render.print_members(console, found))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8642,
) -> None:
    """Serve a local B2Chat: made data, or replayed files (see B2CHAT_SANDBOX_… in .env.example). Ctrl-C stops it."""
    settings = Settings.load()
    if settings.sandbox == "off":
        settings = settings.model_copy(update={"sandbox": "generated"})
    records, first_day = sandbox_source.source(settings)

    def say(base_url: str) -> None:
        console.print(
            f"the B2Chat sandbox answers at {base_url}, records from {first_day} on; Ctrl-C stops it\n"
            f"B2CHAT_API_URL={base_url} B2CHAT_CLIENT_ID={sandbox_source.CLIENT_ID} "
            f"B2CHAT_CLIENT_SECRET={sandbox_source.secret(settings)}",
            soft_wrap=True,
        )

    with contextlib.suppress(KeyboardInterrupt):
        server.serve(
            records,
            client_id=sandbox_source.CLIENT_ID,
            client_secret=sandbox_source.secret(settings),
            port=port,
            clock=sandbox_source.clock(settings),
            on_listening=say,
        )


@app.command(name="exec", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run_program(context: typer.Context) -> None:
    """Run a program (dbt, dagster, psql, your own) with the warehouse up and its address in the environment.

    For example: `b2chat exec dbt test --project-dir dbt --profiles-dir dbt`.
    """
    if not context.args:
        raise typer.BadParameter("name the program to run")
    with environment.running(environment.for_work(Settings.load())):
        raise typer.Exit(_run_child(single_dbt.as_builds_do(context.args)))


@db.command()
def up() -> None:
    """Start the embedded Postgres and let it run on, for BI tools, until `b2chat db down`."""
    settings = Settings.load()
    if not connection.configured_url(settings):
        embedded.keep(settings.data_path / "pg", True)
    with environment.running(settings) as standing:
        shown = connection.without_password(standing.url)
        console.print(f"up: {shown}  (`b2chat db bi-url` prints the address for BI tools)")


@db.command()
def down() -> None:
    """Stop the embedded Postgres as soon as nobody uses it any more."""
    settings = Settings.load()
    if connection.configured_url(settings):
        raise SettingsError("DATABASE_URL (or POSTGRES_HOST) is set: that server is not ours to stop")
    embedded.keep(settings.data_path / "pg", False)
    with connection.warehouse(settings):
        pass
    console.print("down (another `b2chat` that still runs keeps it up until it ends)")


@db.command()
def url(as_json: JsonOption = False) -> None:
    """Print the warehouse's address, with its owner's password, for psql and administration."""
    with environment.running(Settings.load()) as standing:
        print_answer(as_json, {"url": standing.url}, lambda: print(standing.url))  # noqa: T201


@db.command()
def bi_url(as_json: JsonOption = False) -> None:
    """Print the address for BI tools, with its password: the role bi_reader, which reads the marts and nothing else."""
    with environment.running(settings := Settings.load()) as standing:
        address = bi_access.url_with_password(settings, standing.url)
        print_answer(as_json, {"url": address}, lambda: print(address))  # noqa: T201


@db.command()
def bi_sql(as_json: JsonOption = False) -> None:
    """Print the SQL that makes bi_reader with its limits, for an administrator of a server where we may not."""
    with environment.running(settings := Settings.load()) as standing:
        script = bi_access.script(settings, standing.url)
        print_answer(as_json, {"sql": script}, lambda: print(script))  # noqa: T201


@db.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context) -> None:
    """Open a prompt on the warehouse; arguments go to psql (`b2chat db psql -c "select 1"`)."""
    settings = Settings.load()
    # The packaged psql speaks no TLS, which a named server may ask for.
    of_the_machine = shutil.which("psql") if connection.configured_url(settings) else None
    with environment.running(settings):
        program = of_the_machine or str(binaries.find(settings.pg_bin).folder / "psql")
        raise typer.Exit(_run_child([program, *context.args]))


def _for_demo(advance: timedelta = timedelta(0)) -> Settings:
    """The demo's settings; on the error stream, which of the settings are not heeded, and where its data is then."""
    settings = Settings.load()
    if left_out := environment.left_out_of_demo(settings):
        _say(f"the demo is on its own: {', '.join(left_out)} not used")
    own = environment.demo_has_own_folder(settings)
    chosen = environment.for_demo(settings, advance=advance)
    if own:
        _say(f"its data is in {chosen.data_path}; `b2chat ui --demo` opens it")
    return chosen


def _say(line: str) -> None:
    print(f"b2chat: {visible(line)}", file=sys.stderr)  # noqa: T201


def _tell_cost(conn: Any, settings: Settings, asked: Any, max_usd: float, as_json: bool) -> None:
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
        _fail(str(error), MISUSED)
    expected = estimate(
        conn,
        claude,
        limits=Limits(timedelta(hours=IDLE_HOURS), max_usd, settings.ai_monthly_usd),
        run_id="dry run",
        chat_ids=materialize.select_chats(conn, asked)[1],
    )
    answer = {field.name: getattr(expected, field.name) for field in fields(expected)}
    print_answer(as_json, answer, lambda: render.print_estimate(console, expected))


def _run_job(job: str, as_json: bool, *, needs_source: bool, config: dict[str, Any] | None = None) -> None:
    settings = environment.for_work(Settings.load())
    if needs_source:
        environment.require_source(settings)
    with environment.running(settings) as standing:
        from dagster_project.cli import run_job  # noqa: PLC0415

        outcome = run_job.run(standing, job, config, quiet=as_json)
        print_answer(as_json, outcome, lambda: run_job.tell(console, outcome))
        _leave(outcome)


def _run_child(command: list[str]) -> int:
    """Run a program in the foreground; what stops us stops it."""
    child = subprocess.Popen(command, cwd=PROJECT_ROOT, start_new_session=True)
    try:
        return child.wait()
    except (KeyboardInterrupt, SystemExit):
        os.killpg(child.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        return 130


def _leave(outcome: dict[str, Any]) -> None:
    code = {"success": 0, "partial": PARTIAL}.get(outcome["status"], FAILED)
    if code:
        raise typer.Exit(code)


def _fail(message: str, code: int) -> None:
    _say(message)
    sys.exit(code)
