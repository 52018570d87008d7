"""The sandbox's HTTP server: B2Chat's export API, over a source of records."""

import asyncio
import hashlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from dagster_project.sources.b2chat.sandbox.clock import Clock, system_clock
from dagster_project.sources.b2chat.sandbox.faults import Answer, FaultPlan
from dagster_project.sources.b2chat.sandbox.parameters import BadParameter, chat_query, contact_query
from dagster_project.sources.b2chat.sandbox.source import Page, Source
from dagster_project.sources.b2chat.sandbox.tokens import TokenDesk

MADE_HEADER = "X-B2Chat-Sandbox"
START_SECONDS = 10.0


@contextmanager
def running(
    source: Source,
    *,
    client_id: str,
    client_secret: str,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Clock = system_clock,
    faults: FaultPlan | None = None,
) -> "Iterator[Sandbox]":
    """Serve `source` from a thread while the context lasts; port 0 takes a free one.

    Raises OSError when the port is taken, RuntimeError when the server does not start.
    """
    sandbox = Sandbox(source, client_id=client_id, client_secret=client_secret, clock=clock, faults=faults)
    listener = socket.create_server((host, port))
    sandbox.base_url = _address(listener)
    server = _server(sandbox)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield sandbox
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)


def serve(
    source: Source,
    *,
    client_id: str,
    client_secret: str,
    host: str = "127.0.0.1",
    port: int = 8787,
    clock: Clock = system_clock,
    on_listening: Callable[[str], None] = lambda base_url: None,
) -> None:
    """Serve `source` in the foreground until interrupted; `on_listening` is told the base address.

    Raises OSError when the port is taken.
    """
    sandbox = Sandbox(source, client_id=client_id, client_secret=client_secret, clock=clock)
    listener = socket.create_server((host, port))
    sandbox.base_url = _address(listener)
    on_listening(sandbox.base_url)
    _server(sandbox).run(sockets=[listener])


class Sandbox:
    """A sandbox and what can be turned on it while it runs: `clock` and `faults` are open to change.

    `requests` counts the requests by path, `/health` left out.
    """

    def __init__(
        self,
        source: Source,
        *,
        client_id: str,
        client_secret: str,
        clock: Clock = system_clock,
        faults: FaultPlan | None = None,
    ) -> None:
        self.base_url = ""
        self.clock = clock
        self.faults = faults or FaultPlan()
        self.requests: Counter[str] = Counter()
        self._source = source
        self._tokens = TokenDesk(client_id, client_secret)

    def revoke_token(self) -> None:
        """End the live token: calls that carry it get a 401, and the next token is a new one."""
        self._tokens.revoke()

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/oauth/token", self._endpoint(self._issue_token), methods=["POST"]),
                Route("/chats/export", self._endpoint(self._export_chats), methods=["GET"]),
                Route("/contacts/export", self._endpoint(self._export_contacts), methods=["GET"]),
                Route("/health", self._health, methods=["GET"]),
            ]
        )

    def _endpoint(self, answer_to: Callable[[Request, bytes], Answer]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            path = request.url.path
            self.requests[path] += 1
            nth = self.requests[path]
            body = await request.body()
            answer = await run_in_threadpool(answer_to, request, body)
            answer = self.faults.apply(path, nth, answer)
            await asyncio.sleep(answer.delay_seconds)
            return self._response(answer)

        return endpoint

    def _response(self, answer: Answer) -> Response:
        headers = answer.headers | {MADE_HEADER: self._source.kind}
        return (_CutResponse if answer.cut else Response)(answer.body, answer.status, headers)

    async def _health(self, _: Request) -> Response:
        return self._response(_json_answer(200, {"status": "ok"}))

    def _issue_token(self, request: Request, body: bytes) -> Answer:
        if not self._tokens.knows(request.headers.get("authorization", "")):
            return _json_answer(401, {"error": "invalid_client", "message": "wrong client id or secret"})
        if parse_qs(body.decode("latin-1")).get("grant_type") != ["client_credentials"]:
            return _json_answer(400, {"error": "unsupported_grant_type", "message": "ask for client_credentials"})
        token, seconds_left = self._tokens.token(self.clock())
        return _json_answer(
            200, {"access_token": token, "token_type": "bearer", "expires_in": seconds_left, "scope": "all"}
        )

    def _export_chats(self, request: Request, _: bytes) -> Answer:
        return self._export(request, "chats", lambda now: self._source.chats(chat_query(request.query_params), now))

    def _export_contacts(self, request: Request, _: bytes) -> Answer:
        return self._export(
            request, "contacts", lambda now: self._source.contacts(contact_query(request.query_params), now)
        )

    def _export(self, request: Request, name: str, page_at: Callable[[datetime], Page]) -> Answer:
        now = self.clock()
        if not self._tokens.accepts(request.headers.get("authorization", ""), now):
            return _json_answer(401, {"error": "invalid_token", "message": "no live bearer token"})
        try:
            page = page_at(now)
        except BadParameter as refused:
            return _json_answer(400, {"error": "bad_request", "message": str(refused)})
        return _json_answer(
            200,
            {
                name: page.records,
                "exported": len(page.records),
                "total": page.total,
                "message": f"B2Chat sandbox, {self._source.kind} data: not a real account",
                "trace_id": _trace_id(request, now),
            },
        )


class _CutResponse(Response):
    """Promises the whole body and sends half of it; the server then drops the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = self.body[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": bytes(half), "more_body": True})


def _json_answer(status: int, content: dict[str, Any]) -> Answer:
    headers = {"content-type": "application/json"}
    try:
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8 form: only an escape can carry it
        body = json.dumps(content, separators=(",", ":")).encode()
    return Answer(status, body, headers)


def _trace_id(request: Request, now: datetime) -> str:
    """The same for the same question at the same instant, so that two reads can be compared byte for byte."""
    return hashlib.sha256(f"{request.url.path}?{request.url.query} {now}".encode()).hexdigest()[:32]


def _server(sandbox: Sandbox) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            sandbox.app(),
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            log_level="error",
            timeout_graceful_shutdown=1,
        )
    )


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the sandbox's server did not start")
        time.sleep(0.005)
