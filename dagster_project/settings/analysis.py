"""Who says what chats are about."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from dagster_project.settings.section import Section


class AiSettings(Section):
    """Who says what chats are about: rules or Claude, and review by people"""

    anthropic_api_key: SecretStr | None = Field(
        None, validation_alias="ANTHROPIC_API_KEY", description="Key of the Claude API. Without it, rules categorize."
    )
    anthropic_base_url: str | None = Field(
        None, validation_alias="ANTHROPIC_BASE_URL", description="Another address of the Claude API, fake-claude's."
    )
    ai_model: str = Field("claude-haiku-5-5", description="Claude model to ask; it needs a price in prices.yml.")
    ai_effort: Literal["low", "medium", "high"] = Field("low", description="Effort of the Claude model.")
    ai_monthly_usd: float = Field(
        25,
        ge=0,
        allow_inf_nan=False,
        description="Most USD that Claude may cost in a calendar month (UTC); over it chats wait.",
    )
    ai_redaction: Literal["on", "off"] = Field(
        "on", description="off sends chats to Claude with the names and numbers in them."
    )
    ai_taxonomy: Path | None = Field(None, description="YAML file with the business's labels, not the shipped one.")
    ai_lexicon: Path | None = Field(None, description="YAML file with the rules' words, not the shipped one.")
    review_confidence: float = Field(
        0.7, ge=0, le=1, description="Confidence of a classifier below which a chat goes to the review queue."
    )
    review_share: float = Field(
        0.02, ge=0, le=1, description="Share of all chats drawn at random for review, to measure accuracy by."
    )
