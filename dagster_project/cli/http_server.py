"""Serving by HTTP until Ctrl-C, at an address that is taken before anything is said to answer there."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from dagster_project.cli.command_line import FAILED, fail

# The last two are a name that leads nowhere.
_NOT_OURS = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES, socket.EAI_NONAME, socket.EAI_AGAIN}


@contextmanager
def address_faults(host: str, port: int) -> Iterator[None]:
    """Whoever cannot listen at an address ends with a line that names it."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
        reason = str(error.strerror).partition(" (while")[0]  # where Python adds the address
        fail(f"cannot listen at {host}:{port}: {reason}", FAILED)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; who connects waits until it is served."""
    with address_faults(host, port):
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def serve(app: Any, listener: socket.socket) -> None:
    """Serve an app until Ctrl-C. Requests are not logged: an address may hold a token."""
    import uvicorn  # noqa: PLC0415  other commands start without it

    config = uvicorn.Config(app, access_log=False, log_level="warning", server_header=False)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
