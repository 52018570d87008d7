"""How long to wait: between two requests, and before a request that failed is tried again."""

import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import RetryCallState

MAX_WAIT_SECONDS = 60.0


class TryAgain(Exception):
    """A failure that another try may cure; one of a connection that did not come about is less likely to pass."""

    def __init__(
        self, cause: str, *, retry_after: float | None = None, unreadable: bool = False, unreachable: bool = False
    ) -> None:
        super().__init__(cause)
        self.cause, self.retry_after = cause, retry_after
        self.unreadable, self.unreachable = unreadable, unreachable


class Pace:
    """At least `interval` seconds between two requests."""

    def __init__(self, interval: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._interval, self._clock, self._sleep = interval, clock, sleep
        self._next = clock()

    def wait(self) -> None:
        """Wait until the next request may be sent."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._interval


def wait(state: RetryCallState) -> float:
    """Seconds before the next try: what the server asks for, up to a minute, else ever longer with jitter."""
    asked = failure(state).retry_after
    if asked is not None:
        return min(asked, MAX_WAIT_SECONDS)
    longest = min(2.0 ** (state.attempt_number - 1), MAX_WAIT_SECONDS)
    return random.uniform(longest / 2, longest)


def failure(state: RetryCallState) -> TryAgain:
    """What the last try failed with."""
    fault = state.outcome.exception() if state.outcome else None
    assert isinstance(fault, TryAgain)
    return fault


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long the server asks to wait, in seconds or until a date; None where it does not say or says nonsense.

    A date is held against the server's own `Date`, where it sends one: its clock may not be ours.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return float(text)
    until, sent = _http_date(text), _http_date(headers.get("date", ""))
    return max(0.0, (until - (sent or now)).total_seconds()) if until else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
