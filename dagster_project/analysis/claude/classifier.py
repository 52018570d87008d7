"""One model, one prompt, one redactor: what is sent for a chat, under which key, and at what cost."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from dagster_project.analysis.claude import prompt as prompts
from dagster_project.analysis.claude.form import SCHEMA_VERSION, Checked
from dagster_project.analysis.claude.messages import Client, Outcome, ask
from dagster_project.analysis.claude.prices import Prices, Usage
from dagster_project.analysis.conversation import Conversation, Message, clean
from dagster_project.analysis.personal import redaction
from dagster_project.analysis.personal.redaction import Known
from dagster_project.analysis.taxonomy.categorization import Categorization, Effectiveness
from dagster_project.analysis.taxonomy.taxonomy import Taxonomy

log = logging.getLogger(__name__)

ENDPOINT = "api.anthropic.com"
MIN_BYTES, MAX_BYTES = 3, 4  # bytes a token, for estimates: the one makes them high, the other low
USUAL_ANSWER = 200  # tokens


class Blocked(Exception):
    """A chat must not be sent: personal data is left in it. The text names kinds, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A chat as it is sent.

    Attributes:
        messages: redacted, and cut where the chat is long.
        key: what the answer is an answer to; holds no times, so the same words again are the same work.
        total: messages of the whole chat.
        is_cut: whether not all of the chat is sent.
    """

    messages: tuple[Message, ...]
    key: str
    total: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """What an answer is by; all of it is in `version`, so that anything else is other work.

    Attributes:
        model: as asked for.
        endpoint: host that is asked.
    """

    version: str
    model: str
    endpoint: str
    prompt_version: str
    schema_version: str
    redactor_version: str


class ClaudeClassifier:
    """Claude as a classifier.

    Attributes:
        model: as asked for.
        classified_by: models as the answers name them.
        version: model, prompt and redactor, and the address where it is not Anthropic's.
        identity: the same, and its parts.
        taxonomy: the labels that it names.
        cost_usd: of all answers so far, by the table of prices; answers that may have been billed twice are not in it.
    """

    def __init__(
        self,
        client: Client,
        taxonomy: Taxonomy,
        *,
        model: str,
        effort: str = "low",
        redacts: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Get ready; sends nothing.

        Args:
            redacts: False sends chats as they are.

        Raises:
            UnknownPrice: the model has no price, so nothing could be said of its cost.
        """
        self.client, self.model, self.prices = client, model, Prices()
        self.prices.least_cached_tokens(model, _today())
        self._effort, self._redacts, self._sleep = effort, redacts, sleep
        self.taxonomy, self._keep, self.prompt = taxonomy, taxonomy.words_to_keep, prompts.Prompt.of(taxonomy)
        endpoint = urlsplit(str(client.base_url)).hostname or ENDPOINT

        def version(redactor: str) -> str:
            redactor = redactor if redacts else "not redacted"
            parts = [model, f"effort {effort}", self.prompt.version, redactor]
            return ", ".join(parts if endpoint == ENDPOINT else [*parts, f"at {endpoint}"])

        self.version, self._key_version = version(redaction.VERSION), version(redaction.FIRST_VERSION)
        redactor = redaction.VERSION if redacts else "not redacted"
        self.identity = Identity(self.version, model, endpoint, self.prompt.version, SCHEMA_VERSION, redactor)
        self._said: set[str] = set()
        self.cost_usd = 0.0
        self.classified_by: set[str] = set()

    def classify(self, conversation: Conversation, known: Known | None = None) -> Categorization | None:
        """Categorize one chat; None where there is no valid answer. What might hold personal data is not sent.

        Raises:
            StopRun: no other chat would fare better.
        """
        try:
            chat = self.prepare(conversation, known or Known())
        except Blocked as fault:
            log.warning("a chat was not sent: %s", fault)
            return None
        outcome = self.ask(chat)
        if outcome.status in ("truncated", "invalid"):
            outcome = self.ask(chat, with_more_room=outcome.status == "truncated")
        return categorization(outcome.checked)

    def prepare(self, conversation: Conversation, known: Known) -> Prepared:
        """Redact a chat, then cut it; so that nothing is cut in two before it is recognized.

        Raises:
            Blocked: what is left after redaction still looks like personal data.
        """
        read = [
            replace(one, text=clean(one.text)[: 4 * prompts.MAX_CHARACTERS_OF_ONE])
            for one in prompts.with_lead(conversation.messages)
        ]
        if self._redacts:
            redacted = redaction.redact(read, known, self._keep)
            if redacted.left:
                raise Blocked(f"{', '.join(redacted.left)} is left in it after redaction")
            read = [replace(one, text=text) for one, text in zip(read, redacted.texts, strict=True)]
        ends = prompts.ends(read)
        sent, total = tuple(prompts.shortened(ends)), len(conversation.messages)
        characters = sum(len(one.text) for one in sent)
        is_cut = len(sent) < total or characters < sum(len(one.text) for one in ends)
        return Prepared(sent, self._key(sent), total, is_cut)

    def parameters(self, chat: Prepared, *, with_more_room: bool = False) -> dict[str, Any]:
        """What the API takes for a chat; `with_more_room` after an answer that was cut."""
        room = prompts.MAX_TOKENS * (2 if with_more_room else 1)
        return prompts.parameters(self.prompt, chat.messages, model=self.model, effort=self._effort, max_tokens=room)

    def ask(
        self, chat: Prepared, *, with_more_room: bool = False, may_pay_again: Callable[[], bool] = lambda: True
    ) -> Outcome:
        """Send one chat; `may_pay_again` is asked before it is sent once more where it may have been charged.

        Raises:
            StopRun: no other chat would fare better.
        """
        parameters = self.parameters(chat, with_more_room=with_more_room)
        how: dict[str, Any] = {"sleep": self._sleep, "said": self._said, "may_pay_again": may_pay_again}
        outcome = ask(self.client, parameters, self.prompt.form, **how)
        self.cost_usd += self.cost(outcome.usage)
        if outcome.model:
            self.classified_by.add(outcome.model)
        return outcome

    def cost(self, usage: Usage, *, batch: bool = False) -> float:
        """USD of an answer, by today's prices, as the ledger holds it."""
        return round(self.prices.cost(self.model, usage, _today(), batch=batch), 8)

    def most_tokens(self, chat: Prepared, *, with_more_room: bool = False) -> Usage:
        """No fewer than a request can take: many tokens, an answer that fills its room, and a prompt that is cached
        anew."""
        room = prompts.MAX_TOKENS * (2 if with_more_room else 1)
        prompt, words = self._bytes(chat)
        return Usage(input_tokens=words // MIN_BYTES, cache_write_5m_tokens=prompt // MIN_BYTES, output_tokens=room)

    def fewest_tokens(self, chat: Prepared) -> Usage:
        """What a request takes if all goes well: the prompt is in the cache, the answer short. An estimate."""
        prompt, words = self._bytes(chat)
        return Usage(input_tokens=words // MAX_BYTES, cache_read_tokens=prompt // MAX_BYTES, output_tokens=USUAL_ANSWER)

    def _bytes(self, chat: Prepared) -> tuple[int, int]:
        """Bytes of the prompt; and of the form and the chat in its JSON: an emoji is more than one token."""
        words = sum(len(one.text.encode()) + 45 for one in chat.messages) + 200
        return len(self.prompt.system.encode()), words + self._form_bytes

    @cached_property
    def _form_bytes(self) -> int:
        return len(json.dumps(self.prompt.form.schema()))

    def _key(self, messages: Sequence[Message]) -> str:
        """What is sent and to whom. A new redactor that leaves the same text asks for nothing anew."""
        content = [[one.incoming, " ".join(one.text.split())] for one in messages]
        return hashlib.sha256(json.dumps([self._key_version, content], ensure_ascii=False).encode()).hexdigest()


def categorization(checked: Checked | None) -> Categorization | None:
    """An answer as all classifiers give it; without the half that is not valid. None without the categories."""
    if not checked or not checked.categories:
        return None
    found, effect = dict(checked.categories), None
    quality, confidence, notes = (found.pop(name) for name in ("agent_quality_score", "confidence", "reasoning_notes"))
    if half := checked.effectiveness:
        effect = Effectiveness(half.resolution_score, half.customer_satisfaction, tuple(half.recommendations))
    return Categorization(
        labels=found,
        agent_quality_score=quality,
        confidence_score=confidence,
        reasoning_notes=notes,
        effectiveness=effect,
    )


def _today() -> Any:
    return datetime.now(UTC).date()
