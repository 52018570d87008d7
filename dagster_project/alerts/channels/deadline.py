"""How long a whole exchange may take: a receiver whose bytes drip never keeps us waiting too long for one of them."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self


class Deadline:
    """Ends a connection when its time is up: whoever reads from it then finds it closed.

    Args:
        seconds: from entering it on.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._find: Callable[[], socket.socket | None] = lambda: None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()

    def watch(self, find: Callable[[], socket.socket | None]) -> None:
        """Say how the connection is found at the end; TLS puts another socket in the place of the first."""
        self._find = find

    def _end(self) -> None:
        self.is_over = True
        if connection := self._find():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
