"""What classifiers say of the chats: Claude where there is a key, else rules; never one in place of the other."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from dagster_project.analysis import effectiveness, store
from dagster_project.analysis.categorizers import Summary, categorizer_of
from dagster_project.analysis.classifiers import Unusable
from dagster_project.analysis.claude.messages import Misconfigured
from dagster_project.analysis.claude.run import Limits
from dagster_project.analysis.customer_analysis import analyses
from dagster_project.analysis.lock import Busy
from dagster_project.analysis.work import IDLE_HOURS
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.ui import markdown
from dagster_project.warehouse.access.roles import ANALYSIS

KEY = dg.AssetKey(["analysis", "chat_categorizations"])
MAX_ERRORS = 0.05
ERRORS, BUDGET = "share_of_errors", "within_budget"


class CategorizeConfig(dg.Config):
    """When a chat is idle, and, for Claude, what may be sent and spent."""

    idle_hours: int = Field(IDLE_HOURS, ge=1, description="Hours of silence after which an open chat is idle.")
    dry_run: bool = Field(False, description="Claude: say what a run would cost, and send nothing.")
    max_usd: float = Field(5.0, ge=0, description="Claude: most USD for this run; over it chats wait.")
    refresh_expired: bool = Field(False, description="Claude: ask again where a classification is older than 30 days.")
    retry_dead: bool = Field(False, description="Claude: ask again where asking was given up or refused.")
    batch_above: int = Field(
        50, ge=0, description="Claude: requests above which they go as message batches, at half the price."
    )
    batch_wait_minutes: int = Field(
        5, ge=0, le=1440, description="Claude: minutes to wait for batches; the next run takes up what is not done."
    )

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
            ERRORS, asset=KEY, description=f"At most {MAX_ERRORS:.0%} of the chats asked for stay without an answer."
        ),
        dg.AssetCheckSpec(BUDGET, asset=KEY, description="No chat waits because a cap is reached."),
    ],
    description="Each closed or idle chat's intent, journey stage, sentiment, agent quality, effectiveness, once per "
    "content: by Claude where ANTHROPIC_API_KEY is set, else by rules (no language model). BI reads "
    "marts.chat_categories, and marts.ai_usage_daily for the cost.",
)
def chat_categorizations(
    context: dg.AssetExecutionContext, config: CategorizeConfig, warehouse: Warehouse
) -> dg.MaterializeResult:
    try:
        with warehouse.as_role(ANALYSIS).connect() as conn:
            conn.autocommit = True
            settings = warehouse.settings()
            who = categorizer_of(conn, settings, config.limits(settings.ai_monthly_usd), context.run_id)
            if config.dry_run:
                return _result(who.estimate())
            summary = who.categorize()
            effectiveness.materialize(conn, who.name)
            analyses.reconcile(conn)
            in_all = {"all_chats": store.count_by_state(conn)} if who.is_llm else {}
            return _result(summary, **in_all)
    except (Unusable, Misconfigured, Busy) as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def metadata_of(summary: Summary, **more: Any) -> dict[str, Any]:
    """What the UI shows of a run; what is counted by kind is a table."""
    kinds = {"intents": "intent", "tokens": "tokens"}
    shown = {**summary.shown, **more}
    return {
        name: _table(kinds.get(name, "state"), value) if isinstance(value, Mapping) else value
        for name, value in shown.items()
    }


def _result(summary: Summary, **more: Any) -> dg.MaterializeResult:
    share = summary.errors / summary.asked if summary.asked else 0.0
    return dg.MaterializeResult(
        metadata=metadata_of(summary, **more),
        check_results=[
            dg.AssetCheckResult(
                check_name=ERRORS,
                asset_key=KEY,
                passed=share <= MAX_ERRORS,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"chats_asked_for": summary.asked, "without_answer": summary.errors, "share": round(share, 4)},
            ),
            dg.AssetCheckResult(
                check_name=BUDGET,
                asset_key=KEY,
                passed=not summary.deferred,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"chats_that_wait": summary.deferred},
            ),
        ],
    )


def _table(what: str, counts: Mapping[str, int]) -> dg.MetadataValue:
    by_count = sorted(counts.items(), key=lambda item: -item[1])
    return markdown.table([what, "count"], [[name, f"{count:,}"] for name, count in by_count], numbers=[1])
