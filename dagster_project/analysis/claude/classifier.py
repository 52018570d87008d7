"""Claude as a classifier of single chats: redacted, asked, checked, counted."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from dagster_project.analysis.categories import Categorization
from dagster_project.analysis.claude import prompt as prompts
from dagster_project.analysis.claude.messages import Client, Outcome, ask
from dagster_project.analysis.claude.prices import Prices
from dagster_project.analysis.conversation import Conversation, Message
from dagster_project.analysis.redaction import Known, Redactor, leaks
from dagster_project.analysis.taxonomy import Taxonomy

log = logging.getLogger(__name__)


class ClaudeClassifier:
    """One model, one prompt.

    Attributes:
        model: as asked for.
        answered_by: models as the answers name them.
        version: model, prompt and redactor.
        cost_usd: of all answers so far, by the table of prices; answers that may have been billed twice are not in it.
    """

    def __init__(
        self, client: Client, taxonomy: Taxonomy, *, model: str, effort: str = "low",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        """Get ready; sends nothing.

        Raises:
            UnknownPrice: the model has no price, so nothing could be said of its cost.
        """
        self._client, self._effort, self._sleep = client, effort, sleep
        self._keep, self._prompt, self._prices = taxonomy.words_to_keep, prompts.Prompt.of(taxonomy), Prices()
        self._prices.least_cached_tokens(model, datetime.now(UTC).date())
        self.model, self.version, self.cost_usd = model, f"{model}, {self._prompt.version}", 0.0
        self.answered_by: set[str] = set()

    def classify(self, conversation: Conversation, known: Known | None = None) -> Categorization | None:
        """Categorize one chat; None where there is no valid answer. What might hold personal data is not sent.

        Raises:
            StopRun: no other chat would fare better.
        """
        known = known or Known()
        redactor = Redactor(known, self._keep)
        messages = [Message(one.incoming, redactor.redact(one.text), one.minutes)
                    for one in prompts.shortened(conversation.messages)]  # fmt: skip
        left = leaks((one.text for one in messages), known)
        if left:
            log.warning("a chat was not sent: %s is left in it after redaction", ", ".join(left))
            return None
        outcome = self._ask(messages, prompts.MAX_TOKENS)
        if outcome.status in ("truncated", "invalid"):
            outcome = self._ask(messages, prompts.MAX_TOKENS * (2 if outcome.status == "truncated" else 1))
        return _categorization(outcome)

    def _ask(self, messages: list[Message], max_tokens: int) -> Outcome:
        parameters = prompts.parameters(
            self._prompt, messages, model=self.model, effort=self._effort, max_tokens=max_tokens)
        outcome = ask(self._client, parameters, sleep=self._sleep)
        self.cost_usd += self._prices.cost(self.model, outcome.usage, datetime.now(UTC).date())
        if outcome.model:
            self.answered_by.add(outcome.model)
        return outcome


def _categorization(outcome: Outcome) -> Categorization | None:
    found = outcome.checked.categories if outcome.checked else None
    if not found:
        return None
    return Categorization(
        customer_intent=found.customer_intent, journey_stage=found.journey_stage, sentiment=found.sentiment,
        agent_quality_score=found.agent_quality_score, confidence_score=found.confidence,
        reasoning_notes=found.reasoning_notes)
