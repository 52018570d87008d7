"""The command that answers language models: mcp."""

import contextlib
from typing import Annotated

import typer

from dagster_project.cli import http_server
from dagster_project.cli.command_line import MISUSED, fail, warn
from dagster_project.deployment import environment
from dagster_project.settings import Settings


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
