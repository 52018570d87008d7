"""The chats that a person should look at."""

import logging
from collections.abc import Sequence
from datetime import timedelta

import dagster as dg
import psycopg

from dagster_project.analysis.categorize import categorize_by_rules
from dagster_project.analysis.classifiers import OtherLabels, Unusable, rules_of
from dagster_project.analysis.review import queue
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from dagster_project.warehouse.access.roles import ANALYSIS

log = logging.getLogger(__name__)


@dg.asset(
    key=["analysis", "review_queue"],
    deps=[dg.AssetKey(["analysis", "chat_categorizations"])],
    group_name="analysis",
    owners=["team:analytics"],
    kinds={"python", "postgres"},
    pool="categorization",
    description="Chats that a person should look at: suspicious, disputed, contradictory, of low confidence, changed "
    "since somebody labelled them, or drawn at random. Looks at new classifications. BI reads marts.review_queue; "
    "`b2chat review` lists, shows and labels.",
)
def review_queue(warehouse: Warehouse) -> dg.MaterializeResult:
    settings = warehouse.settings()
    rules = queue.Rules(settings.review_confidence, settings.review_share)
    with warehouse.as_role(ANALYSIS).connect() as conn:
        conn.autocommit = True
        chat_ids = queue.unprocessed(conn, rules)
        try:
            _ask_the_rules_too(conn, settings, chat_ids)
        except Unusable as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        added, counts = queue.fill(conn, chat_ids, rules), queue.counts(conn)
    log.info("%d chats with a new classification: %d came in; %d are open", len(chat_ids), added, counts["open"])
    return dg.MaterializeResult(
        metadata={
            "chats_processed": dg.MetadataValue.int(len(chat_ids)),
            "came_in": dg.MetadataValue.int(added),
            **{name: dg.MetadataValue.int(count) for name, count in counts.items()},
        }
    )


def _ask_the_rules_too(conn: psycopg.Connection, settings: Settings, chat_ids: Sequence[str]) -> None:
    """A second opinion on what Claude has answered, which costs nothing: contradictions are for a person."""
    by_claude = [
        row[0]
        for row in conn.execute(
            "select chat_id from analysis.classification_queue "
            "where classifier = 'claude' and state = 'classified' and chat_id = any(%s)",
            [list(chat_ids)],
        )
    ]
    if by_claude:
        try:
            rules = rules_of(settings)
        except OtherLabels as error:
            log.warning("no second opinion: %s", error)
            return
        categorize_by_rules(conn, rules, idle=timedelta(0), chat_ids=by_claude, is_second_opinion=True)
