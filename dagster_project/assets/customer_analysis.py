"""The customer analysis: a job that somebody starts with filters, from the launchpad or with `b2chat analyze`."""

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
import psycopg
from pydantic import Field

from dagster_project.analysis import analyses
from dagster_project.analysis.categorize import categorize_by_rules
from dagster_project.analysis.classifiers import Unusable, classifier_of
from dagster_project.analysis.request import (
    MOST_AGENTS,
    MOST_CONTACTS,
    MOST_DAYS,
    MOST_DEPARTMENTS,
    Refused,
    Request,
)
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.assets.dbt import build_models
from dagster_project.resources import DbtCli, Warehouse
from dagster_project.settings import Settings

log = logging.getLogger(__name__)


class AnalysisConfig(dg.Config):
    """Which chats to analyse, and for whom. Filters combine with AND; an empty one lets all pass."""

    triggered_by: str = Field("", description="Who asks: a name or an e-mail. Needed.")
    date_start: str | None = Field(
        None, description=f"First local day, YYYY-MM-DD; at most {MOST_DAYS} days. Default: 29 days before the last.")
    date_end: str | None = Field(None, description="Last local day, YYYY-MM-DD. Default: the newest with chats.")
    agent_ids: list[str] = Field([], description=f"Keys of up to {MOST_AGENTS} agents (core.agents.id).")
    department_ids: list[str] = Field([], description=f"Keys of up to {MOST_DEPARTMENTS} departments.")
    contact_ids: list[str] = Field([], description=f"Ids of up to {MOST_CONTACTS} contacts.")
    sample_rate: float = Field(
        1.0, description="Share of the chats, above 0 and up to 1, by the hash of their ids. 1 is all of them.")
    idle_hours: int = Field(24, ge=1, description="Hours of silence after which an open chat is settled.")

    def request(self) -> Request:
        """The request that this config means.

        Raises:
            Refused: a day is no day.
        """
        return Request(
            _day(self.date_start, "date_start"), _day(self.date_end, "date_end"), self.triggered_by, self.agent_ids,
            self.department_ids, self.contact_ids, self.sample_rate)  # fmt: skip


@dg.op(
    description="Categorize the chats of a filter, publish their categories and build their KPIs; a row in "
    "analysis.customer_analyses says how it went.",
)
def analyse_customers(
    context: dg.OpExecutionContext, config: AnalysisConfig, warehouse: Warehouse, dbt: DbtCli
) -> None:
    try:
        classifier = classifier_of("rules-v1", Settings.load())
        assert isinstance(classifier, RulesClassifier)
        with warehouse.connect() as conn:
            conn.autocommit = True
            row = analyses.analyse(conn, config.request(), analyses.Means(
                classifier=classifier.model, version=classifier.version, is_llm=False,
                categorize=lambda chat_ids: _categorize(conn, classifier, config, chat_ids),
                build_kpis=lambda: build_models(dbt, context.run_id, "analysis_kpi_rows"),
                run_id=context.run_id))  # fmt: skip
    except (Refused, Unusable) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    log.info("analysis %s: %s, %d of %d chats categorized, %d skipped, %d pending; %.1f s",
             row["id"], row["status"], row["categorized_count"], row["total_chats_analyzed"], row["skipped_count"],
             row["pending_count"], row["processing_time_ms"] / 1000)  # fmt: skip
    context.add_output_metadata(_metadata(row))


@dg.job(
    name="customer_analysis",
    executor_def=dg.in_process_executor,
    tags={"b2chat/job": "customer_analysis"},
    config=dg.RunConfig(ops={"analyse_customers": AnalysisConfig()}),  # the launchpad shows it, to be filled in
    description="Analyse the chats of a date range, of some agents, departments or contacts: what customers wanted, "
    "how they felt, how quick and how good the answers were. Fill in the config; triggered_by is needed.",
)
def customer_analysis_job() -> None:
    analyse_customers()


def _categorize(
    conn: psycopg.Connection, classifier: RulesClassifier, config: AnalysisConfig, chat_ids: Sequence[str]
) -> int:
    result = categorize_by_rules(
        conn, classifier, idle=timedelta(hours=config.idle_hours), chat_ids=chat_ids,
        on_progress=lambda done, total: log.info("%d of %d chats looked at", done, total))  # fmt: skip
    return result.new_answers


def _day(text: str | None, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused(f"{name}: {text!r} is not a day such as 2026-01-05") from None


def _metadata(row: dict[str, Any]) -> dict[str, dg.MetadataValue]:
    shown = ("id", "status", "triggered_by", "error_message")
    counted = (
        "chats_in_filter", "total_chats_analyzed", "categorized_count", "ai_analysis_count", "new_answer_count",
        "skipped_count", "pending_count", "total_messages_analyzed", "processing_time_ms")  # fmt: skip
    return {
        "classified_by": dg.MetadataValue.text(
            f"{'a language model' if row['is_llm'] else 'rules, no language model'} ({row['classifier_version']})"),
        "sample_rate": dg.MetadataValue.float(row["sample_rate"]),
        "filters": dg.MetadataValue.json(row["filters"]),
        **{name: dg.MetadataValue.text(row[name]) for name in shown if row[name]},
        **{name: dg.MetadataValue.int(row[name]) for name in counted},
    }  # fmt: skip
