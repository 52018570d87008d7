"""How the server is reached: by a program's standard streams, or by HTTP with a token."""

import hmac
import ipaddress

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from dagster_project.settings import SettingsError

MIN_TOKEN = 24
_MAX_BODY = 256 * 1024


class TokenRequired:
    """Lets nobody through without `Authorization: Bearer …`."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                refused = JSONResponse({"error": "a token is needed"}, 401, {"WWW-Authenticate": "Bearer"})
                return await refused(scope, receive, send)
        return await self._app(scope, receive, send)


def require_safe(host: str, token: str | None, behind_tls_proxy: bool) -> str:
    """The token, if it is safe to listen so.

    Raises:
        SettingsError: there is no token or a short one; or others could listen in.
    """
    if not token or len(token) < MIN_TOKEN:
        raise SettingsError(
            f"B2CHAT_MCP_TOKEN: HTTP needs a token of {MIN_TOKEN} characters or more; `openssl rand -hex 24` makes one"
        )
    if not (_is_loopback(host) or behind_tls_proxy):
        raise SettingsError(
            f"--host {host}: anybody on the way would read token and answers; listen on 127.0.0.1, or add "
            "--behind-tls-proxy where a proxy that speaks TLS is the only one that reaches this address"
        )
    return token


def http_app(server: MCPServer, host: str, token: str) -> ASGIApp:
    """The server at /mcp, for who has the token."""
    # On this machine a page of a browser could ask under another name; elsewhere the proxy decides about names.
    security = None if _is_loopback(host) else TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app = server.streamable_http_app(
        host=host,
        stateless_http=True,
        json_response=True,
        max_request_body_size=_MAX_BODY,
        transport_security=security,
    )
    return TokenRequired(app, token)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
