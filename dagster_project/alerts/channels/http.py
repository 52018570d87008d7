"""HTTP to addresses that are secrets: their query or path often is the key. No address is in any log or error."""

import logging
import ssl
from collections.abc import Mapping
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay
from tenacity.wait import wait_exponential_jitter

from dagster_project.alerts.channels.contract import DeliveryFailed
from dagster_project.alerts.channels.deadline import Deadline

_TIMEOUT = httpx.Timeout(8, connect=5)  # seconds, for each byte
WHOLE_SECONDS = 15.0  # for all of an answer
_TRIES, _SECONDS = 3, 20  # at once; who asked tries again later
_LATE = "it did not answer in time"


class _MayPass(DeliveryFailed):
    """A fault that another try at once may cure."""


def send(method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> int:
    """Send a request, and again after a fault that may pass; redirects are not followed, the answer is not read.

    Returns:
        the status code, one of 2xx.

    Raises:
        DeliveryFailed: there was no such answer.
    """
    # httpx writes whole addresses to its log.
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    tries = Retrying(
        retry=retry_if_exception_type(_MayPass),
        stop=stop_after_attempt(_TRIES) | stop_after_delay(_SECONDS),
        wait=wait_exponential_jitter(initial=0.3, max=3),
        retry_error_callback=_reraise,
    )
    result: int = tries(_send_once, method, url, body, headers)
    return result


def _send_once(method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None) -> int:
    fault: DeliveryFailed
    deadline = Deadline(WHOLE_SECONDS)

    def note_connection(event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            stream = info["return_value"]
            deadline.watch(lambda: stream.get_extra_info("socket"))

    try:
        # Only this machine is spoken to over http://: HTTP_PROXY would read what is for it.
        with (
            deadline,
            httpx.Client(timeout=_TIMEOUT, follow_redirects=False, mounts={"http://": None}) as client,
            client.stream(method, url, content=body, headers=headers, extensions={"trace": note_connection}) as answer,
        ):
            status = answer.status_code
    except httpx.ConnectError as error:
        is_refused = isinstance(error.__context__, ssl.SSLError) or "CERTIFICATE" in str(error).upper()
        fault = DeliveryFailed("its certificate is refused") if is_refused else _MayPass("it cannot be reached")
    except httpx.TimeoutException:
        fault = _MayPass(_LATE)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fault = _MayPass(_LATE if deadline.is_over else f"the connection failed ({type(error).__name__})")
    else:
        if 200 <= status < 300:
            return status
        if 300 <= status < 400:
            fault = DeliveryFailed(f"it redirects elsewhere (HTTP {status}), which is not followed")
        else:
            kind = _MayPass if status >= 500 or status in (408, 425, 429) else DeliveryFailed
            fault = kind(f"it answered HTTP {status}")
    raise fault  # outside of the handler: the fault of httpx holds the address


def _reraise(state: RetryCallState) -> None:
    fault = state.outcome.exception() if state.outcome else None
    assert fault
    raise DeliveryFailed(str(fault)) from None
