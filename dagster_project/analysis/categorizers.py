"""Who categorizes the chats: Claude where there is a key, else rules; never one in place of the other."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg

from dagster_project.analysis.categorize import categorize_by_rules
from dagster_project.analysis.classifiers import Unusable, claude_of, has_key, rules_of, taxonomy_of
from dagster_project.analysis.claude import categorize as claude_runs
from dagster_project.analysis.claude.classifier import ClaudeClassifier
from dagster_project.analysis.claude.run import CLASSIFIER, Limits
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.analysis.taxonomy import labels
from dagster_project.analysis.taxonomy.taxonomy import Taxonomy
from dagster_project.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did, whoever categorized.

    Attributes:
        shown: for people, by name; what is counted by kind is a mapping.
        new_classifications: chats or contents that were not known before.
        asked, errors: chats asked for in this run, and how many of them stay without a classification.
        deferred: chats that wait for money.
        stopped: why the run ended early; None where it did not.
    """

    shown: Mapping[str, Any]
    new_classifications: int = 0
    asked: int = 0
    errors: int = 0
    deferred: int = 0
    stopped: str | None = None


class Categorizer(Protocol):
    """Who categorizes.

    Attributes:
        name: as `analysis.classification_queue` calls the classifier.
        version: the classifier's.
        is_llm: whether it is a language model; what classifications say of themselves counts in the end.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def is_llm(self) -> bool: ...

    def categorize(self, chat_ids: Sequence[str] | None = None) -> Summary:
        """Categorize what is not categorized yet, among `chat_ids` if given. A killed run is simply run again."""

    def estimate(self, chat_ids: Sequence[str] | None = None) -> Summary:
        """What `categorize` would do and cost; sends nothing and changes nothing."""


def categorizer_of(conn: psycopg.Connection, settings: Settings, limits: Limits, run_id: str) -> Categorizer:
    """Who categorizes by these settings.

    Args:
        conn: autocommits.
        run_id: what the ledger names the run.

    Raises:
        Unusable: the classifier cannot be used as it is set up.
    """
    if has_key(settings):
        return ByClaude(conn, claude_of(settings), limits, run_id)
    only_for_claude = [name for name in ("refresh_expired", "retry_dead") if getattr(limits, name)]
    if only_for_claude:
        raise Unusable(f"{', '.join(only_for_claude)}: only for Claude, and ANTHROPIC_API_KEY is missing")
    return ByRules(conn, rules_of(settings), limits, taxonomy_of(settings))


@dataclass(frozen=True, slots=True)
class ByRules:
    """Rules: no language model, and no cost."""

    conn: psycopg.Connection
    classifier: RulesClassifier
    limits: Limits
    taxonomy: Taxonomy
    is_llm: bool = False

    @property
    def name(self) -> str:
        return self.classifier.model

    @property
    def version(self) -> str:
        return self.classifier.version

    def categorize(self, chat_ids: Sequence[str] | None = None) -> Summary:
        labels.publish(self.conn, self.taxonomy)
        result = categorize_by_rules(
            self.conn,
            self.classifier,
            idle=self.limits.idle,
            chat_ids=chat_ids,
            on_progress=lambda done, total: log.info("%d of %d chats looked at", done, total),
        )
        log.info(
            "%s: %d chats processed, %d classified, %d ongoing, %d without the customer's words; %.1f s",
            self.version,
            result.processed,
            result.classified,
            result.ongoing,
            result.skipped,
            result.seconds,
        )
        shown = {
            "classified_by": f"rules, no language model ({self.version})",
            "status": "COMPLETED",
            "chats_processed": result.processed,
            "classified": result.classified,
            "new_classifications": result.new_classifications,
            "ongoing": result.ongoing,
            "skipped": result.skipped,
            "seconds": round(result.seconds, 1),
            "intents": result.intents,
        }
        return Summary(shown, result.new_classifications, asked=result.classified)

    def estimate(self, chat_ids: Sequence[str] | None = None) -> Summary:
        raise Unusable("dry_run: only for Claude, and ANTHROPIC_API_KEY is missing")


@dataclass(frozen=True, slots=True)
class ByClaude:
    """Claude. A failing API leaves chats pending, and rules never step in."""

    conn: psycopg.Connection
    classifier: ClaudeClassifier
    limits: Limits
    run_id: str
    name: str = CLASSIFIER
    is_llm: bool = True

    @property
    def version(self) -> str:
        return self.classifier.version

    def categorize(self, chat_ids: Sequence[str] | None = None) -> Summary:
        if self.classifier.identity.redactor_version == "not redacted":
            log.warning("B2CHAT_AI_REDACTION is off: chats leave with the names and numbers in them")
        labels.publish(self.conn, self.classifier.taxonomy)
        result = claude_runs.categorize_by_claude(
            self.conn, self.classifier, limits=self.limits, run_id=self.run_id, chat_ids=chat_ids
        )
        states = {**result.waiting, "dead_lettered": result.dead_lettered, "refused": result.refused}
        not_done = ", ".join(f"{count} {state}" for state, count in states.items() if count) or "nothing"
        (log.warning if result.is_partial else log.info)(
            "%s: %s. %d chats classified by %d requests, %d reused; %.4f USD; not done: %s",
            self.version,
            _status(result),
            result.classified,
            result.requests,
            result.reused,
            result.cost_usd,
            not_done,
        )
        return Summary(
            self._shown(result),
            result.classified,
            result.classified + result.failed,
            result.failed,
            result.waiting.get("budget_deferred", 0),
            result.stopped,
        )

    def estimate(self, chat_ids: Sequence[str] | None = None) -> Summary:
        expected = claude_runs.estimate(
            self.conn, self.classifier, limits=self.limits, run_id=self.run_id, chat_ids=chat_ids
        )
        log.info(
            "dry run: %d chats wait, %d requests would be sent for %.4f to %.4f USD (estimated, nothing is sent)",
            expected.chats,
            expected.requests,
            expected.usd_low,
            expected.usd_high,
        )
        return Summary(
            {
                "classified_by": f"nobody: a dry run for {self.version}",
                "status": "DRY RUN: nothing was sent, nothing was changed",
                "chats_processed": sum(expected.processed.values()),
                "chats_to_answer": expected.chats,
                "reused": expected.reused,
                "requests_to_send": expected.requests,
                "requests_within_caps": expected.affordable,
                "as_batch": expected.is_batch,
                "estimated_tokens": f"{expected.tokens_low:,} to {expected.tokens_high:,}",
                "estimated_usd_low": round(expected.usd_low, 4),
                "estimated_usd_high": round(expected.usd_high, 4),
                "budget_left_usd": round(expected.budget_left, 4),
            }
        )

    def _shown(self, result: claude_runs.Result) -> dict[str, Any]:
        return {
            "classified_by": self._who(result.models),
            "status": _status(result),
            "chats_processed": sum(result.processed.values()),
            "reused": result.reused,
            "requests": result.requests,
            "classified": result.classified,
            "dead_lettered": result.dead_lettered,
            "refused": result.refused,
            "states": result.processed | {f"now {state}": count for state, count in result.waiting.items()},
            "cost_usd": round(result.cost_usd, 6),
            "perhaps_charged_usd": round(result.uncertain_usd, 6),
            "budget_left_usd": round(result.budget_left, 4),
            "tokens": result.usage,
            "seconds": round(result.seconds, 1),
            "intents": result.intents,
        }

    def _who(self, models: Sequence[str]) -> str:
        if any(model.startswith("fake-") for model in models):
            return f"{', '.join(models)}: a fake, not Claude"
        return f"Claude ({', '.join(models) or 'no new classification'}; {self.version})"


def _status(result: claude_runs.Result) -> str:
    if not result.is_partial:
        return "COMPLETED"
    return f"PARTIAL ({result.stopped})" if result.stopped else "PARTIAL"
