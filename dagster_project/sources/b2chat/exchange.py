"""One exchange with B2Chat over HTTP: what is asked, and what is made of the reply."""

import base64
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from dagster_project.sources.b2chat.errors import BadRequest, PermanentError
from dagster_project.sources.b2chat.retries import TryAgain, retry_after_seconds
from dagster_project.sources.b2chat.windows import Window

# A page of a thousand chats with twenty messages each has some 5 MB; reading one takes several times its bytes.
MAX_ANSWER_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Call:
    endpoint: str
    window: str = ""
    max_bytes: int = MAX_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Token:
    value: SecretStr
    renew_at: float


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: httpx.Headers
    body: bytes
    milliseconds: int


class TooLarge(Exception):
    """An answer has more bytes than we take; it was not read to its end."""

    def __str__(self) -> str:
        return f"more than {self.args[0] >> 20} MiB"


class Unauthorized(Exception):
    """A 401 for a call that carried a token."""


def body_of(response: httpx.Response, max_bytes: int) -> bytes:
    pieces, size = [], 0
    if int(response.headers.get("content-length") or 0) > max_bytes:
        raise TooLarge(max_bytes)
    for piece in response.iter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise TooLarge(max_bytes)
    return b"".join(pieces)


def require_success(reply: Reply, call: Call) -> None:
    if reply.status == 200:
        return
    if reply.status in (408, 425, 429) or reply.status >= 500:
        raise TryAgain(f"HTTP {reply.status}", retry_after=retry_after_seconds(reply.headers, datetime.now(UTC)))
    kind = BadRequest if reply.status in (400, 422) else PermanentError
    raise kind(f"HTTP {reply.status}", call.endpoint, call.window)


def query_of(window: Window, offset: int, limit: int) -> dict[str, Any]:
    query: dict[str, Any] = {"limit": limit, "offset": offset, "order_dir": "asc"}
    prefix = "date_range" if window.entity == "chats" else window.by
    if window.day_from:
        query[f"{prefix}_from"] = window.day_from.isoformat()
    if window.day_to:
        query[f"{prefix}_to"] = window.day_to.isoformat()
    if window.entity == "contacts":  # both default to TRUE, which leaves tags and attributes out
        query |= {"skip_tags": "FALSE", "skip_custom_attributes": "FALSE"}
    return query


def is_of_day(day: date, chat: Any) -> bool:
    return isinstance(chat, dict) and str(chat.get("created_at", "")).startswith(day.isoformat())


def basic_credentials(client_id: str, client_secret: SecretStr | str) -> str:
    secret = client_secret.get_secret_value() if isinstance(client_secret, SecretStr) else client_secret
    return base64.b64encode(f"{client_id}:{secret}".encode()).decode()
