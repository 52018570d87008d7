"""What classifiers say of the chats: Claude where there is a key, else rules; never one in place of the other."""

import logging
from datetime import timedelta
from typing import Any

import dagster as dg
import psycopg
from pydantic import Field

from dagster_project.analysis import effectiveness, store
from dagster_project.analysis.categorize import Result, categorize_by_rules
from dagster_project.analysis.classifiers import Unusable, classifier_of, claude_of, has_key
from dagster_project.analysis.claude import categorize as categorize_claude
from dagster_project.analysis.claude.categorize import Estimate, categorize_by_claude
from dagster_project.analysis.claude.classifier import ClaudeClassifier
from dagster_project.analysis.claude.messages import Misconfigured
from dagster_project.analysis.claude.run import CLASSIFIER, Limits
from dagster_project.analysis.customer_analysis import analyses
from dagster_project.analysis.lock import Busy
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.analysis.work import IDLE_HOURS
from dagster_project.orchestration.assets import markdown
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings

log = logging.getLogger(__name__)

KEY = dg.AssetKey(["analysis", "chat_categorizations"])
MOST_ERRORS = 0.05
ERRORS, BUDGET = "share_of_errors", "within_budget"


class CategorizeConfig(dg.Config):
    """When a chat is settled, and, for Claude, what may be sent and spent."""

    idle_hours: int = Field(IDLE_HOURS, ge=1, description="Hours of silence after which an open chat is settled.")
    dry_run: bool = Field(False, description="Claude: say what a run would cost, and send nothing.")
    max_usd: float = Field(5.0, ge=0, description="Claude: most USD for this run; over it chats wait.")
    refresh_expired: bool = Field(False, description="Claude: ask again where an answer is older than 30 days.")
    retry_dead: bool = Field(False, description="Claude: ask again where asking was given up or refused.")
    batch_above: int = Field(
        50, ge=0, description="Claude: requests above which they go as message batches, at half the price."
    )
    batch_wait_minutes: int = Field(
        5, ge=0, le=1440, description="Claude: minutes to wait for batches; the next run takes up what is not done."
    )

    def only_for_claude(self) -> list[str]:
        """Options in use that rules know nothing of."""
        return [name for name in ("dry_run", "refresh_expired", "retry_dead") if getattr(self, name)]

    def limits(self, month_cap: float) -> Limits:
        """What a run that asks Claude may do."""
        return Limits(
            timedelta(hours=self.idle_hours),
            self.max_usd,
            month_cap,
            self.refresh_expired,
            self.retry_dead,
            self.batch_above,
            timedelta(minutes=self.batch_wait_minutes),
        )


@dg.asset(
    key=KEY,
    deps=[
        dg.AssetKey(["core", "chats"]),
        dg.AssetKey(["core", "messages"]),
        dg.AssetKey(["core", "contacts"]),
        dg.AssetKey(["core", "agents"]),
    ],
    group_name="analysis",
    owners=["team:analytics"],
    kinds={"python", "postgres", "claude"},
    pool="categorization",
    check_specs=[
        dg.AssetCheckSpec(
            ERRORS, asset=KEY, description=f"At most {MOST_ERRORS:.0%} of the chats asked for stay without an answer."
        ),
        dg.AssetCheckSpec(BUDGET, asset=KEY, description="No chat waits because a cap is reached."),
    ],
    description="Each settled chat's intent, journey stage, sentiment, agent quality and effectiveness, once per "
    "content: by Claude where ANTHROPIC_API_KEY is set, else by rules (no language model). BI reads "
    "marts.chat_categories, and marts.ai_usage_daily for the cost.",
)
def chat_categorizations(
    context: dg.AssetExecutionContext, config: CategorizeConfig, warehouse: Warehouse
) -> dg.MaterializeResult:
    settings = Settings.load()
    try:
        with warehouse.connect() as conn:
            conn.autocommit = True
            if has_key(settings):
                told = _by_claude(conn, claude_of(settings), config, settings.ai_monthly_usd, context.run_id)
            else:
                told = _by_rules(conn, config, settings)
            analyses.tidy(conn)
            return told
    except (Unusable, Misconfigured, Busy) as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _by_rules(conn: psycopg.Connection, config: CategorizeConfig, settings: Settings) -> dg.MaterializeResult:
    if config.only_for_claude():
        raise Unusable(f"{', '.join(config.only_for_claude())}: only for Claude, and ANTHROPIC_API_KEY is missing")
    classifier = classifier_of("rules-v1", settings)
    assert isinstance(classifier, RulesClassifier)
    result = categorize_by_rules(
        conn,
        classifier,
        idle=timedelta(hours=config.idle_hours),
        on_progress=lambda done, total: log.info("%d of %d chats looked at", done, total),
    )
    effectiveness.publish(conn, classifier.model)
    log.info(
        "%s: %d chats looked at, %d answered, %d still open, %d without the customer's words; %.1f s",
        classifier.version,
        result.looked_at,
        result.answered,
        result.unsettled,
        result.skipped,
        result.seconds,
    )
    return _told(_of_rules(classifier.version, result), errors=0, asked=result.answered, deferred=0)


def _by_claude(
    conn: psycopg.Connection, claude: ClaudeClassifier, config: CategorizeConfig, month_cap: float, run_id: str
) -> dg.MaterializeResult:
    limits = config.limits(month_cap)
    if claude.identity.redactor_version == "not redacted":
        log.warning("B2CHAT_AI_REDACTION is off: chats leave with the names and numbers in them")
    if config.dry_run:
        expected = categorize_claude.estimate(conn, claude, limits=limits, run_id=run_id)
        log.info(
            "dry run: %d chats wait, %d requests would be sent for %.4f to %.4f USD (estimated, nothing is sent)",
            expected.chats,
            expected.requests,
            expected.usd_low,
            expected.usd_high,
        )
        return _told(of_estimate(claude, expected), errors=0, asked=0, deferred=0)
    result = categorize_by_claude(conn, claude, limits=limits, run_id=run_id)
    effectiveness.publish(conn, CLASSIFIER)
    say = log.warning if result.is_partial else log.info
    say(
        "%s: %s. %d chats answered by %d requests, %d reused; %.4f USD; not done: %s",
        claude.version,
        _status(result),
        result.answered,
        result.requests,
        result.reused,
        result.cost_usd,
        _not_done(result),
    )
    in_all = store.count_by_state(conn)
    return _told(
        _of_claude(claude, result, in_all),
        errors=result.failed,
        asked=result.answered + result.failed,
        deferred=result.waiting.get("budget_deferred", 0),
    )


def _told(metadata: dict[str, Any], *, errors: int, asked: int, deferred: int) -> dg.MaterializeResult:
    share = errors / asked if asked else 0.0
    return dg.MaterializeResult(
        metadata=metadata,
        check_results=[
            dg.AssetCheckResult(
                check_name=ERRORS,
                asset_key=KEY,
                passed=share <= MOST_ERRORS,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"chats_asked_for": asked, "without_answer": errors, "share": round(share, 4)},
            ),
            dg.AssetCheckResult(
                check_name=BUDGET,
                asset_key=KEY,
                passed=not deferred,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"chats_that_wait": deferred},
            ),
        ],
    )


def _status(result: categorize_claude.Result) -> str:
    if not result.is_partial:
        return "COMPLETED"
    return f"PARTIAL ({result.stopped})" if result.stopped else "PARTIAL"


def _not_done(result: categorize_claude.Result) -> str:
    states = {**result.waiting, "dead": result.dead, "refused": result.refused}
    return ", ".join(f"{count} {state}" for state, count in states.items() if count) or "nothing"


def _of_rules(version: str, result: Result) -> dict[str, Any]:
    return {
        "classified_by": f"rules, no language model ({version})",
        "status": "COMPLETED",
        "chats_looked_at": result.looked_at,
        "answered": result.answered,
        "new_answers": result.new_answers,
        "unsettled": result.unsettled,
        "skipped": result.skipped,
        "seconds": round(result.seconds, 1),
        "intents": _table("intent", result.intents),
    }


def _of_claude(claude: ClaudeClassifier, result: categorize_claude.Result, in_all: dict[str, int]) -> dict[str, Any]:
    """What the UI shows of a run; `in_all` is chats of the warehouse by state, whoever had them looked at, and when."""
    states = result.looked_at | {f"now {state}": count for state, count in result.waiting.items()}
    return {
        "classified_by": _who(claude, result.models),
        "status": _status(result),
        "chats_looked_at": sum(result.looked_at.values()),
        "reused": result.reused,
        "requests": result.requests,
        "answered": result.answered,
        "dead": result.dead,
        "refused": result.refused,
        "states": _table("state", states),
        "cost_usd": round(result.cost_usd, 6),
        "perhaps_charged_usd": round(result.uncertain_usd, 6),
        "budget_left_usd": round(result.budget_left, 4),
        "tokens": _table("tokens", result.usage),
        "seconds": round(result.seconds, 1),
        "intents": _table("intent", result.intents),
        "all_chats": _table("state", in_all),
    }


def of_estimate(claude: ClaudeClassifier, expected: Estimate) -> dict[str, Any]:
    """What the UI shows of a dry run."""
    return {
        "classified_by": f"nobody: a dry run for {claude.version}",
        "status": "DRY RUN: nothing was sent, nothing was changed",
        "chats_looked_at": sum(expected.looked_at.values()),
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


def _who(claude: ClaudeClassifier, models: tuple[str, ...]) -> str:
    if any(model.startswith("fake-") for model in models):
        return f"{', '.join(models)}: a stand-in, not Claude"
    return f"Claude ({', '.join(models) or 'no new answer'}; {claude.version})"


def _table(what: str, counts: Any) -> dg.MetadataValue:
    by_count = sorted(counts.items(), key=lambda item: -item[1])
    return markdown.table([what, "count"], [[name, f"{count:,}"] for name, count in by_count], numbers=[1])
