"""The commands that serve, or run another program, until Ctrl-C: ui, sandbox, fake-claude, mcp, exec."""

import contextlib
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli import http_server
from dagster_project.cli.child_process import run_child
from dagster_project.cli.command_line import MISUSED, console, fail, warn
from dagster_project.cli.commands.pipeline import demo_settings
from dagster_project.deployment import environment
from dagster_project.deployment import sandbox as sandbox_source
from dagster_project.settings import Settings


def ui(
    port: Annotated[int, typer.Option(help="Port of the UI on 127.0.0.1.")] = 3000,
    of_demo: Annotated[bool, typer.Option("--demo", help="On the demo's data, whatever the settings name.")] = False,
) -> None:
    """Open the Dagster UI on the same data (where only a demo was run: on the demo's). Ctrl-C stops it."""
    settings = demo_settings() if of_demo else environment.for_work(Settings.load())
    with environment.running(settings):
        console.print(f"Dagster UI: http://127.0.0.1:{port}  (Ctrl-C stops it)")
        # Dagster's advice to use another program (`dg`) is of no use to whoever opens the UI.
        os.environ["PYTHONWARNINGS"] = "ignore:Function `dev_command` is superseded"
        raise typer.Exit(run_child(["dagster", "dev", "--host", "127.0.0.1", "--port", str(port)]))


def sandbox(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8642,
) -> None:
    """Serve a local B2Chat: made data, or replayed files (see B2CHAT_SANDBOX_… in .env.example). Ctrl-C stops it."""
    from dagster_project.sources.b2chat.sandbox import server  # noqa: PLC0415

    settings = Settings.load()
    if settings.sandbox == "off":
        settings = settings.model_copy(update={"sandbox": "generated"})
    records, first_day = sandbox_source.source(settings)

    def print_address(base_url: str) -> None:
        console.print(
            f"the B2Chat sandbox answers at {base_url}, records from {first_day} on; Ctrl-C stops it\n"
            f"B2CHAT_API_URL={base_url} B2CHAT_CLIENT_ID={sandbox_source.CLIENT_ID} "
            f"B2CHAT_CLIENT_SECRET={sandbox_source.secret(settings)}",
            soft_wrap=True,
        )

    with http_server.address_faults("127.0.0.1", port), contextlib.suppress(KeyboardInterrupt):
        server.serve(
            records,
            client_id=sandbox_source.CLIENT_ID,
            client_secret=sandbox_source.secret(settings),
            port=port,
            clock=sandbox_source.clock(settings),
            on_listening=print_address,
        )


def fake_claude(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 picks a free one.")] = 8787,
    batch_seconds: Annotated[float, typer.Option(min=0, help="Seconds that a message batch is in progress.")] = 0,
) -> None:
    """Serve a fake Claude, to try that path without a key. It answers by rules and says so. Ctrl-C stops it."""
    from dagster_project.analysis.claude import fake  # noqa: PLC0415

    with (
        http_server.address_faults("127.0.0.1", port),
        fake.running(port, batch_seconds) as claude,
        contextlib.suppress(KeyboardInterrupt),
    ):
        console.print(
            f"This is not Claude, it is {fake.MODEL}. In another terminal:\n"
            f"  export ANTHROPIC_BASE_URL={claude.url} ANTHROPIC_API_KEY=none"
        )
        signal.pause()


def mcp(
    http: Annotated[bool, typer.Option("--http", help="Answer by HTTP, with a token.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on, with --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on, with --http.")] = 8766,
    behind_tls_proxy: Annotated[
        bool, typer.Option("--behind-tls-proxy", help="A proxy that speaks TLS is all that reaches another address.")
    ] = False,
) -> None:
    """Serve questions in plain words to a language model's program (Model Context Protocol), over the marts alone."""
    try:
        import mcp.server.mcpserver  # noqa: F401, PLC0415  an extra
    except ModuleNotFoundError:
        fail("the extra mcp is not installed: pip install 'b2chat-analytics[mcp]'", MISUSED)
    from dagster_project.cli import http_audit  # noqa: PLC0415
    from dagster_project.questions import server as questions  # noqa: PLC0415
    from dagster_project.questions import serving  # noqa: PLC0415
    from dagster_project.questions.marts import Marts  # noqa: PLC0415
    from dagster_project.warehouse import connection  # noqa: PLC0415
    from dagster_project.warehouse.access import bi_access  # noqa: PLC0415

    settings = environment.for_work(Settings.load())
    given = settings.mcp_token.get_secret_value() if settings.mcp_token else None
    token = serving.require_safe(host, given, behind_tls_proxy) if http else ""
    listener = http_server.listen(host, port) if http else None
    with connection.warehouse(settings) as url, contextlib.suppress(KeyboardInterrupt):
        marts = Marts(bi_access.url_with_password(settings, url), settings.timezone)
        server = questions.build(marts, allows_sql=settings.mcp_sql)
        if listener:
            warn(f"questions are answered at http://{host}:{port}/mcp, with the token of B2CHAT_MCP_TOKEN")
            app = serving.http_app(server, host, token)
            with http_audit.Recorder(url).running() as recorder:
                http_server.serve(http_audit.Recorded(app, recorder, "questions", has_pages=False), listener)
        else:
            server.run("stdio")


def run_program(context: typer.Context) -> None:
    """Run a program (dbt, dagster, psql, your own) with the warehouse up and its address in the environment.

    For example: `b2chat exec dbt test --project-dir dbt --profiles-dir dbt`.
    """
    from dagster_project.orchestration import single_dbt  # noqa: PLC0415

    if not context.args:
        raise typer.BadParameter("name the program to run")
    with environment.running(environment.for_work(Settings.load())):
        command = single_dbt.as_builds_do(context.args)
        if command != context.args:
            single_dbt.hand_over()
        # dbt runs what models say: it needs its own login, and no other secret.
        environ = single_dbt.environment() if Path(context.args[0]).name == "dbt" else None
        raise typer.Exit(run_child(command, environ))
