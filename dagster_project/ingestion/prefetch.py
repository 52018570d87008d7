"""Prefetch: the next page is fetched, read and validated while Postgres takes in the one before."""

import contextvars
import threading
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")
# How long to wait, at an early end, for a step that is under way: a request may wait for its retry for minutes.
_MAX_JOIN_SECONDS = 2


def prefetch(items: Iterator[_T], *, alone: Callable[[_T], bool] = lambda item: False) -> Generator[_T, None, None]:
    """The same items in the same order, and at last the same exception, made in a thread of their own.

    While the caller has one item, the next is made, and none after it. Close the generator to end early.

    Args:
        alone: whether an item is too large for another beside it: the next is made when the caller is done with it.
    """
    asked, made = SimpleQueue[bool](), SimpleQueue["_T | _Ended"]()
    thread = threading.Thread(
        target=contextvars.copy_context().run, args=(_make, items, asked, made), name="prefetch", daemon=True
    )
    thread.start()
    asked.put(True)
    try:
        while not isinstance(item := made.get(), _Ended):
            waits = alone(item)
            if not waits:
                asked.put(True)
            yield item
            del item
            if waits:
                asked.put(True)
        if item.error:
            raise item.error
    finally:
        asked.put(False)
        thread.join(_MAX_JOIN_SECONDS)


class _Ended:
    """No item follows."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def _make(items: Iterator[_T], asked: "SimpleQueue[bool]", made: "SimpleQueue[_T | _Ended]") -> None:
    while asked.get():
        try:
            made.put(next(items))
        except StopIteration:
            return made.put(_Ended())
        except BaseException as error:
            return made.put(_Ended(error))
