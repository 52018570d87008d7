"""`b2chat dashboard …`: the marts as pages, written as a static site or served with filters."""

from pathlib import Path
from typing import Annotated, cast

import typer

from dagster_project.cli import http_server
from dagster_project.cli.command_line import JsonOption, choice, console, print_answer
from dagster_project.dashboard.errors import DashboardFailed
from dagster_project.deployment import environment
from dagster_project.exports.i18n.language import LANGUAGES, Language
from dagster_project.settings import Settings

dashboard = typer.Typer(no_args_is_help=True, help="Pages of the numbers, without a BI tool: build a site, or serve.")
FAULTS = (DashboardFailed,)  # one line each


@dashboard.command()
def build(
    out: Annotated[Path | None, typer.Option(help="The site's folder. Default: B2CHAT_DASHBOARD_DIR.")] = None,
    language: Annotated[str | None, choice(LANGUAGES, help="One language alone. Default: both.")] = None,
    weeks: Annotated[
        int | None, typer.Option(min=1, max=260, help="How many of the last weeks. Default: B2CHAT_DASHBOARD_WEEKS.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the dashboard as a static site: files that open without a server, and without JavaScript."""
    from dagster_project.dashboard import site  # noqa: PLC0415
    from dagster_project.dashboard.reader import reader  # noqa: PLC0415

    settings = environment.for_work(Settings.load())
    with environment.running(settings) as deployment, reader(settings, deployment.url) as warehouse:
        settings = deployment.settings
        made = site.build(
            warehouse,
            out.expanduser().absolute() if out else settings.dashboard_path,
            languages=site.languages(settings, cast(Language | None, language)),
            weeks=weeks or settings.dashboard_weeks,
            timezone=settings.timezone,
            company=settings.company,
        )
    answer = {"first_page": str(made.first_page), "files": made.file_count, "weeks": [str(week) for week in made.weeks]}
    print_answer(
        as_json,
        answer,
        lambda: console.print(
            f"[bold]{made.first_page}[/bold]\n{made.file_count} files, {len(made.weeks)} weeks", soft_wrap=True
        ),
    )


@dashboard.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond this machine only with a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Its port.")] = 8765,
    language: Annotated[str | None, choice(LANGUAGES, help="Default: B2CHAT_EXPORTS_LANGUAGE.")] = None,
) -> None:
    """Serve the dashboard with filters and drill-downs. Ctrl-C stops it."""
    from dagster_project.cli import http_audit  # noqa: PLC0415
    from dagster_project.dashboard import guard, server  # noqa: PLC0415
    from dagster_project.dashboard.reader import reader  # noqa: PLC0415

    settings = environment.for_work(Settings.load())
    token = settings.dashboard_token.get_secret_value() if settings.dashboard_token else None
    guard.require_token(host, token)
    listener = http_server.listen(host, port)
    with environment.running(settings) as deployment, reader(settings, deployment.url) as warehouse:
        settings = deployment.settings
        pages = server.Dashboard(
            warehouse,
            timezone=settings.timezone,
            company=settings.company,
            language=cast(Language, language or settings.exports_language),
        )
        shown = f"[{host}]" if ":" in host else host
        console.print(f"dashboard: http://{shown}:{port}  (Ctrl-C stops it)", soft_wrap=True, markup=False)
        app = pages.app(host, hosts=settings.dashboard_hosts, token=token)
        with http_audit.Recorder(deployment.url).running() as recorder, pages.kept_warm():
            http_server.serve(http_audit.Recorded(app, recorder, "dashboard", has_pages=True), listener)
