"""One chat, one answer: sending a request, waiting where waiting helps, and saying what became of it.

The SDK's own retries are off: they sleep as long as the server says, hours if need be, and do not know of our budget.
A failure that no other chat would survive (a key that is refused, a spend limit, nothing paid) ends the run.
"""

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, Protocol

from dagster_project.analysis.claude.form import Checked, Form
from dagster_project.analysis.claude.prices import Usage

log = logging.getLogger(__name__)

ATTEMPTS = 4
MAX_RETRY_AFTER = 120.0  # seconds; a server that asks for more ends the run
BACKOFF = (1.0, 4.0, 10.0)
_SPEND_LIMITS = ("enforced_spend_limit_reached", "contract_spend_limit_reached", "ramp_limit_exceeded")

Status = Literal[
    "ok",
    "invalid",
    "truncated",
    "refused",
    "rejected",
    "unavailable",
    "expired",
    "canceled",
    "lost",
    "unknown",
]

NO_USAGE = Usage()


class StopRun(Exception):
    """No chat would fare better: the run ends, and what is not done stays pending. The text is for people.

    Attributes:
        uncertain_sends: of the request at hand, those that may have been billed although no answer came.
    """

    uncertain_sends = 0


class Misconfigured(StopRun):
    """Waiting will not help: somebody has to change the key or a setting."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request.

    Attributes:
        status: ok; invalid (a half broke the schema); truncated; refused; rejected (400, 413: never again as it is);
            unavailable (timeouts, 5xx: may pass). Of a batch's items also expired, canceled, lost (its result cannot
            be had, though it may be paid) and unknown (a kind of result that is new to us).
        checked: the answer's halves; None where there was no text to read.
        model: as the answer names it.
        usage: tokens that are paid for, whatever the status.
        uncertain_sends: requests that may have been billed although no answer came back.
        error_type: class of the fault, without its text.
    """

    status: Status
    checked: Checked | None = None
    model: str | None = None
    usage: Usage = NO_USAGE
    request_id: str | None = None
    stop_reason: str | None = None
    latency_ms: int | None = None
    uncertain_sends: int = 0
    error_type: str | None = None


class Client(Protocol):
    """The part of anthropic.Anthropic that is used."""

    base_url: Any
    messages: Any


def connect(api_key: str, base_url: str | None = None, timeout: float = 60.0) -> Any:
    """A client without retries of its own, and one that no redirect leads elsewhere: it would bring the key along."""
    import anthropic  # noqa: PLC0415  seconds

    return anthropic.Anthropic(
        api_key=api_key,
        base_url=base_url,
        timeout=timeout,
        max_retries=0,
        # http:// is this machine alone: HTTP_PROXY would read the key and the chats that are for it.
        http_client=anthropic.DefaultHttpxClient(follow_redirects=False, mounts={"http://": None}),
    )


def ask(
    client: Client,
    parameters: Mapping[str, Any],
    form: Form,
    *,
    sleep: Callable[[float], None] = time.sleep,
    said: set[str] | None = None,
    may_pay_again: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Send one request, with up to four tries.

    Args:
        may_pay_again: asked before a request that may have been charged is sent once more.
        said: warnings that the log holds already; new ones are added.

    Raises:
        StopRun: the key is refused, the account may not spend, or the server asks to wait longer than two minutes.
    """
    import anthropic  # noqa: PLC0415  seconds

    uncertain, error = 0, None
    for attempt in range(ATTEMPTS):
        began = time.monotonic()
        try:
            with _age_in_log(set() if said is None else said):
                message = client.messages.create(**parameters)
            return outcome_of(
                message,
                form,
                request_id=getattr(message, "_request_id", None),
                uncertain_sends=uncertain,
                latency_ms=round((time.monotonic() - began) * 1000),
            )
        except anthropic.APIStatusError as fault:
            try:
                wait, error = after(fault, attempt), type(fault).__name__
            except StopRun as stop:
                stop.uncertain_sends = uncertain
                raise
            if wait is None:
                return Outcome("rejected", uncertain_sends=uncertain, error_type=error, request_id=fault.request_id)
        except anthropic.APIConnectionError as fault:  # a time-out is one: it may have been answered, and billed
            uncertain, error, wait = uncertain + 1, type(fault).__name__, BACKOFF[0]
            if uncertain > 1 or not may_pay_again():
                break
        except (ValueError, AttributeError, KeyError, TypeError) as fault:
            # HTML or half a body with status 200 comes out of the SDK as these, not as an error of its own.
            uncertain, error, wait = uncertain + 1, type(fault).__name__, BACKOFF[0]
            if uncertain > 1 or not may_pay_again():
                break
        if attempt < ATTEMPTS - 1:
            sleep(wait)
    return Outcome("unavailable", uncertain_sends=uncertain, error_type=error)


def outcome_of(
    message: Any, form: Form, *, request_id: str | None, uncertain_sends: int = 0, latency_ms: int | None = None
) -> Outcome:
    """What became of a request that was answered, at once or in a batch."""
    status, checked = read_message(message, form)
    return Outcome(
        status, checked, message.model, usage_of(message), request_id, message.stop_reason, latency_ms, uncertain_sends
    )


def read_message(message: Any, form: Form) -> tuple[Status, Checked | None]:
    """What a message says: the first text block, whatever stands before it."""
    if message.stop_reason == "refusal":
        return "refused", None
    text = next((block.text for block in message.content or () if block.type == "text"), None)
    if message.stop_reason in ("max_tokens", "model_context_window_exceeded"):
        return "truncated", None
    checked = form.check(text) if text else Checked(None, None, ("no_text",))
    return ("ok" if checked.categories and checked.effectiveness and not checked.faults else "invalid"), checked


def usage_of(message: Any) -> Usage:
    """The tokens that an answer was charged for."""
    usage = message.usage
    written = getattr(usage, "cache_creation", None)
    one_hour = getattr(written, "ephemeral_1h_input_tokens", None) or 0
    details = getattr(usage, "output_tokens_details", None)
    return Usage(
        input_tokens=usage.input_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        cache_write_5m_tokens=(usage.cache_creation_input_tokens or 0) - one_hour,
        cache_write_1h_tokens=one_hour,
        cache_read_tokens=usage.cache_read_input_tokens or 0,
        thinking_tokens=getattr(details, "thinking_tokens", None) or 0,
    )


def after(fault: Any, attempt: int = 0) -> float | None:
    """Seconds to wait before the next try; None when the request is at fault and must not be sent again.

    Raises:
        StopRun: the key is refused, the account may not spend, or the server asks to wait longer than two minutes.
    """
    status, code = fault.status_code, getattr(fault, "error_code", None)
    if status in (401, 403):
        raise Misconfigured(f"the API key is refused (HTTP {status}): nothing was sent on")
    if status == 402:
        raise StopRun("the account has to be paid first (HTTP 402)")
    if status == 404:
        raise Misconfigured("the model does not exist, or this key may not use it (HTTP 404)")
    if status == 429 and code in _SPEND_LIMITS:
        raise StopRun("the account's spend limit is reached (HTTP 429)")
    if status in (408, 409, 429) or status >= 500:
        asked = _retry_after(fault.response.headers)
        if asked is not None and asked > MAX_RETRY_AFTER:
            raise StopRun(f"the API asks to wait {asked:.0f} seconds; the run goes on later")
        return asked or BACKOFF[min(attempt, len(BACKOFF) - 1)]
    return None


@contextmanager
def _age_in_log(said: set[str]) -> Iterator[None]:
    """Says in the log that a model will be switched off; Python keeps the SDK's warning of it to itself."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DeprecationWarning)
        yield
    for text in sorted({str(one.message) for one in caught if issubclass(one.category, DeprecationWarning)} - said):
        said.add(text)
        log.warning("the model is deprecated: %s", text)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
