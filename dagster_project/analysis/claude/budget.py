"""How much a run may still spend: the worst case is taken before a request is sent, the rest given back after."""

from dataclasses import dataclass

import psycopg

from dagster_project.analysis.claude import ledger


@dataclass(slots=True)
class Budget:
    """USD that are left of the run's cap and of the month's, and whether something did not fit."""

    run_left: float
    month_left: float
    was_too_small: bool = False

    @classmethod
    def read(
        cls, conn: psycopg.Connection, endpoint: str, run_id: str, *, run_cap: float, month_cap: float
    ) -> "Budget":
        """What the ledger leaves of the caps."""
        of_run, of_month = ledger.used_usd(conn, endpoint, run_id)
        return cls(run_cap - of_run, month_cap - of_month)

    @property
    def left(self) -> float:
        """USD that may be spent; never below 0."""
        return max(0.0, min(self.run_left, self.month_left))

    @property
    def narrower(self) -> str:
        """Which cap ends first."""
        return "max_usd of the run" if self.run_left <= self.month_left else "the month's cap"

    def take(self, usd: float) -> bool:
        """Take the worst case of a request; False, and nothing taken, where it does not fit."""
        if usd > self.left:
            self.was_too_small = True
            return False
        self.run_left -= usd
        self.month_left -= usd
        return True

    def give_back(self, usd: float) -> None:
        """Return what a request did not cost after all."""
        self.run_left += usd
        self.month_left += usd
