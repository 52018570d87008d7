"""What a source raises: the part of the contract (`sources/contract.py`) that is about failure."""

from typing import ClassVar


class SourceError(Exception):
    """A request to a source that did not bring what was asked for. The text is safe to show anywhere.

    Args:
        cause: what happened: no secret, no token, no record's content.
        endpoint: what was asked, as `GET /chats/export`.
        window: what part of it, where it was a page of a window.
        attempts: how often it was tried.
    """

    system: ClassVar[str] = "the source"

    def __init__(self, cause: str, endpoint: str = "", window: str = "", attempts: int = 1) -> None:
        super().__init__(cause, endpoint, window, attempts)
        self.cause = cause
        self.endpoint = endpoint
        self.window = window
        self.attempts = attempts

    def __str__(self) -> str:
        place = f"{self.endpoint} ({self.window})" if self.window else self.endpoint
        tries = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{place or self.system}: {self.cause}{tries}"


class UnreadableWindow(SourceError):
    """A window that cannot be read, or not to its end; others can. It is tried again by the next sync."""

    def __str__(self) -> str:
        return self.cause


class UnreadableRow(SourceError):
    """Among the rows that were to be copied is one that the source cannot give."""


class QuotaExhausted(SourceError):
    """The day's quota of requests is used up. The next day continues."""
