"""What a request costs, by the dated table in prices.yml. A model without a price is not estimated, and not used."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name("prices.yml")
BATCH_SHARE = 0.5
LONG_PROMPT = 100_000  # input tokens above which a model may cost more
MILLION = 1_000_000


class UnknownPrice(ValueError):
    """There is no price for a model on a day."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, as the API counts them; `input_tokens` are those that no cache had to do with."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    thinking_tokens: int = 0

    @property
    def all_input(self) -> int:
        """All tokens that went in."""
        return self.input_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens + self.cache_read_tokens


class Prices:
    """The table of prices.

    Attributes:
        version: as the file states it; stored beside each cost.
    """

    def __init__(self, table: Path = TABLE) -> None:
        content = yaml.safe_load(table.read_text(encoding="utf-8"))
        self.version = str(content["version"])
        self._models: Mapping[str, list[dict[str, Any]]] = content["models"]

    def cost(self, model: str, usage: Usage, day: date, *, batch: bool = False) -> float:
        """USD of one answer.

        Raises:
            UnknownPrice: the model has no price on that day.
        """
        row = self._row(model, day)
        price = row["over_100k"] if usage.all_input > LONG_PROMPT and "over_100k" in row else row
        usd = (
            usage.input_tokens * price["input"]
            + usage.output_tokens * price["output"]
            + usage.cache_write_5m_tokens * price["cache_write_5m"]
            + usage.cache_write_1h_tokens * price["cache_write_1h"]
            + usage.cache_read_tokens * price["cache_read"]
        ) / MILLION
        return float(usd * (BATCH_SHARE if batch else 1))

    def least_cached_tokens(self, model: str, day: date) -> int:
        """Tokens below which the model's cache keeps nothing."""
        return int(self._row(model, day)["least_cached_tokens"])

    def _row(self, model: str, day: date) -> dict[str, Any]:
        rows = [row for row in self._models.get(model, ()) if row["valid_from"] <= day]
        if not rows:
            raise UnknownPrice(f"no price for {model} on {day}: add it to prices.yml")
        return max(rows, key=lambda row: row["valid_from"])
