"""What classifiers say of the chats."""

import logging
from datetime import timedelta

import dagster as dg
from pydantic import Field

from dagster_project.analysis import analyses, effectiveness
from dagster_project.analysis.categorize import Result, categorize_by_rules
from dagster_project.analysis.classifiers import Unusable, classifier_of
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.resources import Warehouse
from dagster_project.settings import Settings

log = logging.getLogger(__name__)


class CategorizeConfig(dg.Config):
    """When a chat that is not closed counts as settled."""

    idle_hours: int = Field(24, ge=1, description="Hours of silence after which an open chat is settled.")


@dg.asset(
    key=["analysis", "chat_categorizations"],
    deps=[dg.AssetKey(["core", "chats"]), dg.AssetKey(["core", "messages"])],
    group_name="analysis",
    owners=["team:analytics"],
    kinds={"python", "postgres"},
    pool="categorization",
    description="Each settled chat's intent, journey stage, sentiment and agent quality, classified by rules (no "
    "language model), once per content and version of the rules. BI reads marts.chat_categories.",
)
def chat_categorizations(config: CategorizeConfig, warehouse: Warehouse) -> dg.MaterializeResult:
    try:
        classifier = classifier_of("rules-v1", Settings.load())
    except Unusable as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    assert isinstance(classifier, RulesClassifier)
    with warehouse.connect() as conn:
        conn.autocommit = True
        result = categorize_by_rules(
            conn, classifier, idle=timedelta(hours=config.idle_hours),
            on_progress=lambda done, total: log.info("%d of %d chats looked at", done, total))  # fmt: skip
        effectiveness.publish(conn, classifier.model)
        analyses.tidy(conn)
    log.info("%s: %d chats looked at, %d answered, %d still open, %d without the customer's words; %.1f s",
             classifier.version, result.looked_at, result.answered, result.unsettled, result.skipped, result.seconds)
    return dg.MaterializeResult(metadata=_metadata(classifier.version, result))


def _metadata(version: str, result: Result) -> dict[str, dg.MetadataValue]:
    intents = "\n".join(f"| {label} | {count:,} |" for label, count in result.intents.most_common())
    table = "| intent | chats |\n|---|---:|\n" + intents
    return {
        "classified_by": dg.MetadataValue.text(f"rules, no language model ({version})"),
        "chats_looked_at": dg.MetadataValue.int(result.looked_at),
        "answered": dg.MetadataValue.int(result.answered),
        "new_answers": dg.MetadataValue.int(result.new_answers),
        "unsettled": dg.MetadataValue.int(result.unsettled),
        "skipped": dg.MetadataValue.int(result.skipped),
        "seconds": dg.MetadataValue.float(round(result.seconds, 1)),
        "intents": dg.MetadataValue.md(table),
    }
