"""Waits for what other processes do."""

import time
from collections.abc import Callable

import httpx


def wait_until(happened: Callable[[], object], seconds: float = 300) -> None:
    """Wait until something is true; a server that does not answer yet is asked again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if happened():
                return
        except (httpx.HTTPError, KeyError, TypeError, ValueError):
            pass
        time.sleep(0.5)
    raise AssertionError("it did not come about in time")
