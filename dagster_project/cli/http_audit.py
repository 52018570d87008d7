"""Who opened which page and who was refused, for the audit log: noticed at the door, written on the side.

No answer waits for it. A caller that is refused again and again is one row a minute, with how often.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import psycopg
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dagster_project.warehouse import connection
from dagster_project.warehouse.access import audit_log

log = logging.getLogger(__name__)

_MAX_WAITING = 1000  # events; beyond them the warehouse does not keep up, and events are lost, which is logged
_MAX_CALLERS = 10_000  # that are remembered for having been refused
_REFUSALS_EVERY = 60.0  # seconds


class Recorder:
    """Writes events on a thread of its own; a connection is open only while there are some.

    Args:
        url: the warehouse, by a login that may call ops.audit.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue(_MAX_WAITING)
        self._refused: dict[tuple[str, str], tuple[float, int]] = {}
        self._thread = threading.Thread(target=self._write, name="audit", daemon=True)

    def add(self, event_type: str, **fields: Any) -> None:
        """Record an event soon; never waits."""
        try:
            self._events.put_nowait({"event_type": event_type, **fields})
        except queue.Full:
            log.warning("an event of the audit log was lost: the warehouse does not keep up")

    def add_refusal(self, event_type: str, caller: str, **fields: Any) -> None:
        """Record that a caller was refused, at most once a minute; the next row says how often it was meanwhile."""
        now, key = time.monotonic(), (event_type, caller)
        last, unsaid = self._refused.get(key, (-_REFUSALS_EVERY, 0))
        if now - last < _REFUSALS_EVERY:
            self._refused[key] = last, unsaid + 1
            return
        if len(self._refused) >= _MAX_CALLERS:
            self._refused.clear()
        self._refused[key] = now, 0
        self.add(event_type, success=False, ip_address=caller, metadata={"attempts": unsaid + 1}, **fields)

    @contextlib.contextmanager
    def running(self) -> Iterator["Recorder"]:
        """Write for as long as this lasts, and what is left at its end."""
        self._thread.start()
        try:
            yield self
        finally:
            self._events.put(None)
            self._thread.join(10)

    def _write(self) -> None:
        while event := self._events.get():
            try:
                with connection.connect(self._url, autocommit=True) as conn:
                    audit_log.record(conn, user="", **event)
                    while not self._events.empty() and (event := self._events.get()):
                        audit_log.record(conn, user="", **event)
                    if event is None:
                        return
            except psycopg.Error as error:
                log.warning("events of the audit log were lost: %s", type(error).__name__)


class Recorded:
    """An app whose answers are recorded.

    Args:
        app: answers 401 or 421 to whom it refuses, and sets a cookie for who logs in.
        server: what it is called in the audit log.
        has_pages: whether its answers are pages that somebody opens.
    """

    def __init__(self, app: ASGIApp, recorder: Recorder, server: str, *, has_pages: bool) -> None:
        self._app = app
        self._recorder = recorder
        self._server = server
        self._has_pages = has_pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, message)
            await send(message)

        await self._app(scope, receive, send_and_note if scope["type"] == "http" else send)

    def _note(self, scope: Scope, answer: Message) -> None:
        headers = dict(scope["headers"])
        caller = scope["client"][0] if scope.get("client") else "unknown"
        agent = headers.get(b"user-agent", b"").decode("latin-1").replace("\0", "") or None
        status = answer["status"]
        if status in (401, 421):
            tried = b"authorization" in headers or b"cookie" in headers or "token" in _query(scope)
            event = "auth.failed_login" if status == 401 and tried else "unauthorized.access"
            self._recorder.add_refusal(event, caller, resource=self._server, user_agent=agent, severity="medium")
        elif status == 303 and "token" in _query(scope):
            self._recorder.add("auth.login", resource=self._server, ip_address=caller, user_agent=agent)
        elif status == 200 and self._has_pages and scope["path"].count("/") > 1:
            page = scope["path"].strip("/")[:100]
            self._recorder.add(
                "data.read", resource=self._server, resource_id=page, ip_address=caller, user_agent=agent
            )


def _query(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope.get("query_string", b"").decode("latin-1"))
