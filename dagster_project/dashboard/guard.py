"""Who may read the served dashboard: callers that name a host of ours, and, where there is a token, that know it."""

import hashlib
import hmac
import ipaddress
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dagster_project.settings import SettingsError

COOKIE = "b2chat_dashboard"
MIN_TOKEN_LENGTH = 16
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_WEEK_SECONDS = 7 * 24 * 3600


def require_token(host: str, token: str | None) -> None:
    """Raises SettingsError where others than this machine's users could read without a token."""
    if token is not None and len(token) < MIN_TOKEN_LENGTH:
        raise SettingsError(f"B2CHAT_DASHBOARD_TOKEN has fewer than {MIN_TOKEN_LENGTH} characters")
    if token is None and not is_loopback(host):
        raise SettingsError(
            "B2CHAT_DASHBOARD_TOKEN is missing: without it the dashboard is served on this machine alone (127.0.0.1)"
        )


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str, names: list[str]) -> frozenset[str]:
    """The names by which callers may ask: this machine's, the address we listen on, and those of the settings."""
    return frozenset({*_LOOPBACK, host.lower(), *(name.lower() for name in names)})


class Guard:
    """Lets callers through to an app, and gives every answer the headers that browsers are held to.

    A page on another site whose name leads here (DNS rebinding) asks with that name as host, and is refused. The token
    comes as `Authorization: Bearer`, as the cookie, or once as `?token=`, which sets the cookie and leaves the address.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], token: str | None, policy: str, denied: bytes) -> None:
        self._app = app
        self._hosts = hosts
        self._token = token
        # What the cookie holds opens the dashboard, but is not the token.
        self._ticket = hmac.new(token.encode(), COOKIE.encode(), hashlib.sha256).hexdigest() if token else ""
        self._denied = denied
        self._headers = [
            (b"content-security-policy", f"{policy}; frame-ancestors 'none'".encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"no-referrer"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"cache-control", b"no-store"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *self._headers]}
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(Request(scope))
        await (answer or self._app)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        """What a caller gets who is not let through; None for who is."""
        if _host_of(request.headers) not in self._hosts:
            return Response("unknown host", 421, media_type="text/plain")
        if request.method not in ("GET", "HEAD"):
            return Response("only GET", 405, {"allow": "GET, HEAD"}, media_type="text/plain")
        if self._token is None:
            return None
        given = request.query_params.get("token")
        if given is not None and _same(given, self._token):
            return self._admitted(request)
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(bearer.strip(), self._token):
            return None
        if _same(request.cookies.get(COOKIE, ""), self._ticket):
            return None
        return Response(
            self._denied, 401, {"www-authenticate": 'Bearer realm="dashboard"'}, media_type="text/html; charset=utf-8"
        )

    def _admitted(self, request: Request) -> Response:
        """Sends the browser to the same address without the token, with the cookie instead."""
        query = urlencode([pair for pair in parse_qsl(request.url.query) if pair[0] != "token"])
        # The path alone, with one slash before it: an address of another host would begin with two.
        path = "/" + request.url.path.lstrip("/\\")
        answer = RedirectResponse(f"{path}{'?' if query else ''}{query}", 303)
        answer.set_cookie(
            COOKIE,
            self._ticket,
            max_age=_WEEK_SECONDS,
            httponly=True,
            # A link in a mail or chat leads here too; whoever is led here can only read.
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer


def _host_of(headers: Headers) -> str:
    """The name that a caller asks for, without the port; empty where it is none."""
    try:
        return (urlsplit(f"//{headers.get('host', '')}").hostname or "").lower()
    except ValueError:
        return ""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())
