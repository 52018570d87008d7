"""A B2Chat that misbehaves: an account over real HTTP, and what it does to its answers."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN, CHATS, CONTACTS = "/oauth/token", "/chats/export", "/contacts/export"


@dataclass(slots=True)
class Reply:
    """An answer on its way out. `raw`, where set, is what is sent instead, in pieces, each after a pause."""

    envelope: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    raw: list[bytes] | None = None
    pause: float = 0.0
    reset: bool = False

    def data(self) -> bytes:
        """The body."""
        return json.dumps(self.envelope).encode() if self.body is None else self.body


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: the `nth` to its path since the fault began, from 1; the page of the records that match it."""

    path: str
    nth: int
    offset: int
    limit: int
    matching: list[Any]


Change = Callable[[Asked, Reply], None]


class Account:
    """Chats and contacts, in the order in which they are given; `change` does something to each answer."""

    def __init__(self) -> None:
        self.records: dict[str, list[Any]] = {"chats": [], "contacts": []}
        self.change: Change = lambda asked, reply: None
        self.before: Callable[[str, int], None] = lambda path, nth: None
        self.asked: dict[str, int] = {}
        self.base_url = ""
        self._tokens = 0

    def begin(self, change: Change | None = None, before: Callable[[str, int], None] | None = None) -> None:
        """Begin another fault; none where nothing is given."""
        self.change, self.before = change or (lambda asked, reply: None), before or (lambda path, nth: None)
        self.asked = {}

    def answer(self, target: str) -> Reply:
        """The answer to a request."""
        path, asked = urlsplit(target).path, {name: one[0] for name, one in parse_qs(urlsplit(target).query).items()}
        nth = self.asked[path] = self.asked.get(path, 0) + 1
        self.before(path, nth)
        if path == TOKEN:
            self._tokens += 1
            reply, request = Reply({"access_token": f"t{self._tokens}", "expires_in": 3600}), Asked(path, nth, 0, 0, [])
        else:
            entity, offset, limit = path.split("/")[1], int(asked["offset"]), int(asked["limit"])
            matching = [one for one in self.records[entity] if _matches(one, asked)]
            page = matching[offset : offset + limit]
            request = Asked(path, nth, offset, limit, matching)
            reply = Reply({entity: page, "exported": len(page), "total": len(matching)})
        self.change(request, reply)
        return reply


def _matches(record: dict[str, Any], asked: dict[str, str]) -> bool:
    for name, kind in (("date_range", "created_at"), ("created", "created"), ("updated", "updated")):
        day = str(record.get(kind, ""))[:10]
        if not asked.get(f"{name}_from", day) <= day <= asked.get(f"{name}_to", day):
            return False
    return True


@contextmanager
def serving(account: Account) -> Iterator[str]:
    """Serve an account on the loopback, while the context lasts. Gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            try:
                self._send(account.answer(self.path))
            except OSError:  # the reader has gone away
                self.close_connection = True

        do_POST = do_GET

        def _send(self, reply: Reply) -> None:
            if reply.raw is not None:
                self.close_connection = True
                for piece in reply.raw:
                    time.sleep(reply.pause)
                    self.wfile.write(piece)
                    self.wfile.flush()
                if reply.reset:
                    self.connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: a reset, no end
                    self.connection.close()
                return
            data = reply.data()
            self.send_response(reply.status)
            for name, value in (
                {"content-type": "application/json", "content-length": str(len(data))} | reply.headers
            ).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        account.base_url = f"http://127.0.0.1:{server.server_port}"
        yield account.base_url
    finally:
        server.shutdown()
        server.server_close()
