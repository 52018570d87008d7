"""What was worked out, kept for the next time: found at the cost of a dictionary, and bounded."""

from collections.abc import Callable, Hashable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(dict[Key, Value]):
    """`memo[key]` is what `make(key)` gives. At most twice `size` are kept: what nobody asked for lately goes first."""

    def __init__(self, make: Callable[[Key], Value], size: int) -> None:
        super().__init__()
        self._make, self._size = make, size
        self._older: dict[Key, Value] = {}

    def __missing__(self, key: Key) -> Value:
        if len(self) >= self._size:
            self._older = dict(self)
            self.clear()
        value = self._older[key] if key in self._older else self._make(key)
        self[key] = value
        return value
