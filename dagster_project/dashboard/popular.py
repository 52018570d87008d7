"""What people asked for lately, and so will ask for again."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

MAX_PAGES = 24
LATELY_SECONDS = 3600
AWAY_SECONDS = 4 * 24 * 3600  # a long weekend: whoever has not come since is not waited for

Page = TypeVar("Page", bound=Hashable)


class Popular(Generic[Page]):
    """The pages that were asked for last.

    Args:
        now: seconds that only grow.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._asked_at: OrderedDict[Page, float] = OrderedDict()
        self._last_asked = now()

    def note(self, page: Page) -> None:
        """Somebody asked for it."""
        with self._lock:
            self._last_asked = self._asked_at[page] = self._now()
            self._asked_at.move_to_end(page)
            if len(self._asked_at) > MAX_PAGES:
                self._asked_at.popitem(last=False)

    def pages(self) -> list[Page]:
        """Those of the last hour, the newest first."""
        with self._lock:
            since = self._now() - LATELY_SECONDS
            return [page for page, at in reversed(self._asked_at.items()) if at >= since]

    def is_visited(self) -> bool:
        """Whether anybody has asked for anything in the last days, or we have only just begun."""
        return self._now() - self._last_asked <= AWAY_SECONDS
