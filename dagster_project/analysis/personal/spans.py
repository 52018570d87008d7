"""Places in a text that hold personal data."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end` stands something of this kind; `value` is what makes two of them the same thing."""

    start: int
    end: int
    kind: str
    value: str


def merged(spans: Iterable[Span]) -> list[Span]:
    """The spans in their order in the text, those that overlap as one of the kind that was named first."""
    found: list[tuple[int, Span]] = []
    for rank, span in sorted(enumerate(spans), key=lambda one: (one[1].start, one[0])):
        if found and span.start < found[-1][1].end:
            first, last = min((rank, span), found[-1], key=lambda one: one[0]), found[-1][1]
            whole = Span(last.start, max(last.end, span.end), first[1].kind, first[1].value)
            found[-1] = first[0], whole
        else:
            found.append((rank, span))
    return [span for _, span in found]
