"""Pages that were made: kept while the marts are as they were, for some minutes at most, and at most so many bytes."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass

MAX_BYTES = 64 * 2**20
FRESH_SECONDS = 300  # categories, syncs and the clock change without a build
STALE_SECONDS = 900  # until then an old page is shown while the new one is made
DUE_SECONDS = 600  # after which it is made anew, so that nobody comes when it is too old


@dataclass(frozen=True)
class _Kept:
    made_at: float
    state: Hashable
    body: bytes


class PageCache:
    """Pages by what was asked for. Whoever asks for one that is being made waits for that one.

    Args:
        now: seconds that only grow.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, now: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._now = now
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0
        self._being_made: dict[Hashable, Future[bytes]] = {}

    def fresh(self, key: Hashable, state: Hashable) -> bytes | None:
        """The page, if it was made of this state of the marts not long ago."""
        with self._lock:
            return self._fresh(key, state)

    def stale(self, key: Hashable) -> bytes | None:
        """The page as it was made before, if that is not too long ago."""
        with self._lock:
            kept = self._kept.get(key)
            return kept.body if kept and self._now() - kept.made_at <= STALE_SECONDS else None

    def is_due(self, key: Hashable, state: Hashable) -> bool:
        """Whether to make it, for those who will ask."""
        with self._lock:
            kept = self._kept.get(key)
            return kept is None or kept.state != state or self._now() - kept.made_at > DUE_SECONDS

    def make(self, key: Hashable, state: Hashable, make: Callable[[], bytes]) -> bytes:
        """Make the page, or wait for whoever makes it already.

        Raises:
            what `make` raises.
        """
        with self._lock:
            if (made_meanwhile := self._fresh(key, state)) is not None:
                return made_meanwhile
            waiting = self._being_made.get(key)
            if waiting is None:
                ours = self._being_made[key] = Future()
        if waiting is not None:
            return waiting.result()
        try:
            body = make()
        except BaseException as error:
            with self._lock:
                del self._being_made[key]
            ours.set_exception(error)
            raise
        with self._lock:
            del self._being_made[key]
            self._keep(key, _Kept(self._now(), state, body))
        ours.set_result(body)
        return body

    def _fresh(self, key: Hashable, state: Hashable) -> bytes | None:
        kept = self._kept.get(key)
        if kept is None or kept.state != state or self._now() - kept.made_at > FRESH_SECONDS:
            return None
        self._kept.move_to_end(key)
        return kept.body

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        before = self._kept.pop(key, None)
        self._bytes += len(kept.body) - (len(before.body) if before else 0)
        self._kept[key] = kept
        while self._bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body)
