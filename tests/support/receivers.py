"""What alerts are sent to in tests: an SMTP server and a receiver of HTTP, both real, on this machine."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


@dataclass
class Post:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A receiver of HTTP. `status` is what it answers; `location` where it sends on."""

    url: str = ""
    status: int = 200
    location: str = ""
    posts: list[Post] = field(default_factory=list)

    def take(self) -> list[Post]:
        """What came since the last time."""
        taken, self.posts = self.posts, []
        return taken


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver of HTTP on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            receiver.posts.append(Post(self.path, dict(self.headers), body))
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def dripping() -> Iterator[int]:
    """The port of a server that answers with one byte after the other, and never to the end."""
    server, is_over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while not is_over.wait(0.05):
                connection.sendall(b"2")

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=server.accept()[:1], daemon=True).start()

    threading.Thread(target=answer, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        is_over.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@dataclass
class PostOffice:
    """An SMTP server: what it took, and what it answers where it takes nothing."""

    port: int = 0
    refusal: str = ""
    raw: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    def take(self) -> list[EmailMessage]:
        """The mails that came since the last time."""
        taken, self.raw = self.raw, []
        return [message_from_bytes(one, policy=policy.default) for one in taken]

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.refusal:
            return self.refusal
        self.raw.append(bytes(envelope.content))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"


@contextmanager
def post_office(certificates: Path | None = None, login: tuple[str, str] | None = None) -> Iterator[PostOffice]:
    """An SMTP server on a free port; with certificates it asks for STARTTLS, with a login for that."""
    office, context = PostOffice(_free_port()), None
    if certificates:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates / "server.crt", certificates / "server.key")

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        is_known = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == login
        return AuthResult(success=is_known, handled=is_known)

    controller = Controller(
        office,
        hostname="127.0.0.1",
        port=office.port,
        tls_context=context,
        require_starttls=bool(context),
        auth_required=bool(login),
        auth_require_tls=bool(context),
        authenticator=authenticate,
    )
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
