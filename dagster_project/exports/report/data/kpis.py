"""A number of a report beside that of the period before."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["chats", "messages", "transfers", "seconds", "share", "points", "agents"]
Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Kpi:
    """One number of the period beside that of the period before.

    `count` is what the value is made of; `better` says which way is good, None where neither is.
    Sums are not comparable where one of the periods is not whole.
    """

    metric: str
    unit: Unit
    better: Better | None
    value: float | None
    count: int
    previous: float | None
    is_comparable: bool = True

    @property
    def change(self) -> float | None:
        """Against the period before: of shares the difference, of all else in parts of it. None where unknown."""
        if self.value is None or self.previous is None or not self.is_comparable:
            return None
        if self.unit == "share":
            return self.value - self.previous
        return (self.value - self.previous) / self.previous if self.previous else None

    @property
    def verdict(self) -> Literal["better", "worse", "same"] | None:
        """Whether the change is for the better; None where unknown, or where neither way is good."""
        change = self.change
        if change is None or self.better is None:
            return None
        if change == 0:
            return "same"
        return "better" if (change > 0) == (self.better == "higher") else "worse"
