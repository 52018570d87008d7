"""The sandbox's clock: what the API shows is an account's life up to the clock's instant."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The real time, aware, in UTC."""
    return datetime.now(UTC)


class FrozenClock:
    """A clock that stands still until it is moved.

    Raises ValueError for an instant without a zone.
    """

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a frozen clock needs an aware datetime")
        self._at = at.astimezone(UTC)

    def __call__(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move the clock by `by`; a negative step moves it back."""
        self._at += by
