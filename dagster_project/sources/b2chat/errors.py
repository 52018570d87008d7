"""What can go wrong between this project and B2Chat. No text here holds a secret, a token or a record's content."""

from dagster_project.sources.contract import SourceError


class B2ChatError(SourceError):
    """A request to B2Chat that did not bring what was asked for."""

    system = "B2Chat"


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
