"""What can go wrong between this project and B2Chat. No text here holds a secret, a token or a record's content."""


class B2ChatError(Exception):
    """A request to B2Chat that did not bring what was asked for.

    Args:
        cause: what happened, in words that are safe to show anywhere.
        endpoint: what was asked, as `GET /chats/export`.
        window: the days that were asked for, where it was a page of a window.
        attempts: how often it was tried.
    """

    def __init__(self, cause: str, endpoint: str = "", window: str = "", attempts: int = 1) -> None:
        super().__init__(cause, endpoint, window, attempts)
        self.cause = cause
        self.endpoint = endpoint
        self.window = window
        self.attempts = attempts

    def __str__(self) -> str:
        place = f"{self.endpoint} ({self.window})" if self.window else self.endpoint
        tries = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{place or 'B2Chat'}: {self.cause}{tries}"


class AuthenticationFailed(B2ChatError):
    """The credentials, or a token fresh from them, were refused. Trying again cannot help."""


class PermanentError(B2ChatError):
    """B2Chat refused the request itself. Trying again cannot help."""


class BadRequest(PermanentError):
    """B2Chat does not accept the parameters (HTTP 400 or 422)."""


class TransientError(B2ChatError):
    """B2Chat, or the way to it, failed each time it was tried. A later run may succeed."""


class Unreachable(TransientError):
    """No connection came about, and nobody has answered before: a wrong address, or no way to it from here."""


class BadAnswer(B2ChatError):
    """The answers could not be read, each time it was tried: cut, not JSON, or without records or a total."""


class RationExhausted(B2ChatError):
    """The day's ration of requests is used up. The next day continues."""
