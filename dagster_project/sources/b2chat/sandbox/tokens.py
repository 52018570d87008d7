"""The OAuth endpoint: one live token at a time, for a day."""

import base64
import binascii
import hmac
import secrets
from datetime import datetime, timedelta

TOKEN_LIFE = timedelta(hours=24)


class TokenDesk:
    """Gives out and checks bearer tokens for one client."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        self._credentials = f"{client_id}:{client_secret}".encode()
        self._token = ""
        self._expires: datetime | None = None

    def knows(self, authorization: str) -> bool:
        """Whether an `Authorization: Basic …` header carries this client's id and secret."""
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            return hmac.compare_digest(base64.b64decode(encoded, validate=True), self._credentials)
        except binascii.Error:
            return False

    def token(self, now: datetime) -> tuple[str, int]:
        """The live token and the seconds that it has left; a new one once the last has expired."""
        if self._expires is None or now >= self._expires:
            self._token, self._expires = secrets.token_urlsafe(32), now + TOKEN_LIFE
        return self._token, int((self._expires - now).total_seconds())

    def accepts(self, authorization: str, now: datetime) -> bool:
        """Whether an `Authorization: Bearer …` header carries the live token."""
        scheme, _, token = authorization.partition(" ")
        live = self._expires is not None and now < self._expires
        return live and scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), self._token.encode())

    def revoke(self) -> None:
        """End the live token before its time."""
        self._expires = None
