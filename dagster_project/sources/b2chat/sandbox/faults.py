"""A plan of what goes wrong: which request to which path gets which bad answer, for tests of a client."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer on its way out. With `cut`, the connection ends in the middle of the body."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    cut: bool = False


Change = Callable[[Answer], Answer]


@dataclass(frozen=True, slots=True)
class Fault:
    """From the `nth` request to `path` (the first is 1), change the answers of `times` requests."""

    path: str
    change: Change
    nth: int = 1
    times: int = 1


class FaultPlan:
    """The faults that a sandbox plays; a later fault changes what an earlier one left."""

    def __init__(self, *faults: Fault) -> None:
        self._faults = list(faults)

    def add(self, fault: Fault) -> None:
        """Plan one more. Its `nth` counts from the sandbox's start, like all others."""
        self._faults.append(fault)

    def apply(self, path: str, nth: int, answer: Answer) -> Answer:
        """The answer that the `nth` request to `path` gets."""
        for fault in self._faults:
            if fault.path == path and fault.nth <= nth < fault.nth + fault.times:
                answer = fault.change(answer)
        return answer


def fails(status: int, retry_after: int | None = None) -> Change:
    """An error `status` with a JSON message, and `Retry-After` in seconds where it is given."""
    headers = {"content-type": "application/json"}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    body = json.dumps({"message": f"planned fault: {status}"}).encode()
    return lambda _: Answer(status, body, headers)


def html() -> Change:
    """A proxy's page with status 200 where JSON was promised."""
    return lambda _: Answer(200, b"<html><body>Mantenimiento</body></html>", {"content-type": "text/html"})


def delayed(seconds: float) -> Change:
    """The right answer, late."""
    return lambda answer: replace(answer, delay_seconds=seconds)


def cut_short() -> Change:
    """The connection ends in the middle of the body."""
    return lambda answer: replace(answer, cut=True)


def envelope_says(**values: Any) -> Change:
    """An envelope that lies: `envelope_says(exported=5)` or `envelope_says(total=0)`."""
    return lambda answer: replace(answer, body=json.dumps(json.loads(answer.body) | values).encode())


def nul_in_text(*, raw: bool = False) -> Change:
    """A NUL at the end of each TEXT message: escaped as JSON asks, or as the `raw` byte that JSON forbids."""

    def change(answer: Answer) -> Answer:
        envelope = json.loads(answer.body)
        for chat in envelope["chats"]:
            for message in chat["messages"]:
                if message["type"] == "TEXT":
                    message["body"] += "\0"
        body = json.dumps(envelope).encode()
        return replace(answer, body=body.replace(b"\\u0000", b"\0") if raw else body)

    return change
