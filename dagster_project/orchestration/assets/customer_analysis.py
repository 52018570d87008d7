"""The customer analysis: a job that somebody starts with filters, from the launchpad or with `b2chat analyze`."""

import logging
from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from dagster_project.analysis.categorizers import Categorizer, categorizer_of
from dagster_project.analysis.classifiers import Unusable
from dagster_project.analysis.claude.messages import Misconfigured
from dagster_project.analysis.customer_analysis import analyses, materialize
from dagster_project.analysis.customer_analysis.analyses import Categorized, Means
from dagster_project.analysis.customer_analysis.request import (
    MAX_AGENTS,
    MAX_CONTACTS,
    MAX_DAYS,
    MAX_DEPARTMENTS,
    Refused,
    Request,
    checked,
)
from dagster_project.analysis.lock import Busy
from dagster_project.orchestration.assets.analysis import CategorizeConfig, metadata_of
from dagster_project.orchestration.assets.dbt import build_models
from dagster_project.orchestration.assets.launch import config_day, starter
from dagster_project.orchestration.resources import DbtCli, Warehouse
from dagster_project.warehouse.access import audit_log
from dagster_project.warehouse.access.roles import ANALYSIS

log = logging.getLogger(__name__)


class AnalysisConfig(CategorizeConfig):
    """Which chats to analyse, and for whom; for Claude also what may be sent. Filters combine with AND."""

    triggered_by: str = Field("", description="Who asks: a name or an e-mail. Default: who started the run.")
    date_start: str = Field(
        "", description=f"First local day, YYYY-MM-DD; at most {MAX_DAYS} days. Default: 29 days before the last."
    )
    date_end: str = Field("", description="Last local day, YYYY-MM-DD. Default: the newest with chats.")
    agent_ids: list[str] = Field([], description=f"Names or ids of up to {MAX_AGENTS} agents.")
    department_ids: list[str] = Field([], description=f"Names or ids of up to {MAX_DEPARTMENTS} departments.")
    contact_ids: list[str] = Field([], description=f"Ids of up to {MAX_CONTACTS} contacts.")
    sample_rate: float = Field(
        1.0, description="Share of the chats, above 0 and up to 1, by the hash of their ids. 1 is all of them."
    )

    def request(self, starter: str) -> Request:
        """The request that this config means.

        Args:
            starter: who started the run; it is who asks, where the config names nobody.

        Raises:
            dagster.Failure: a day is no day.
        """
        return Request(
            config_day(self.date_start, "date_start"),
            config_day(self.date_end, "date_end"),
            self.triggered_by or starter,
            self.agent_ids,
            self.department_ids,
            self.contact_ids,
            self.sample_rate,
        )


@dg.op(
    description="Categorize the chats of a filter, publish their categories and build their KPIs; a row in "
    "analysis.customer_analyses says how it went.",
)
def analyse_customers(
    context: dg.OpExecutionContext, config: AnalysisConfig, warehouse: Warehouse, dbt: DbtCli
) -> None:
    try:
        with warehouse.as_role(ANALYSIS).connect() as conn:
            conn.autocommit = True
            audit_log.acting(conn, starter(context.run))
            settings = warehouse.settings()
            who = categorizer_of(conn, settings, config.limits(settings.ai_monthly_usd), context.run_id)
            request = config.request(starter(context.run))
            if config.dry_run:
                _, chosen = materialize.select_chats(conn, checked(conn, request))
                context.add_output_metadata({"chats": len(chosen), **metadata_of(who.estimate(chosen))})
                return
            row = analyses.analyse(conn, request, _means(who, dbt, context.run_id))
    except (Refused, Unusable, Misconfigured, Busy) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    log.info(
        "analysis %s: %s, %d of %d chats categorized, %d skipped, %d pending; %.1f s",
        row["id"],
        row["status"],
        row["categorized_count"],
        row["total_chats_analyzed"],
        row["skipped_count"],
        row["pending_count"],
        row["processing_time_ms"] / 1000,
    )
    context.add_output_metadata(_metadata(row))


@dg.job(
    name="customer_analysis",
    executor_def=dg.in_process_executor,
    # The launchpad shows it, to be filled in. (mypy does not see the defaults of Dagster's config classes.)
    config=dg.RunConfig(ops={"analyse_customers": AnalysisConfig()}),  # type: ignore[call-arg]
    description="Analyse the chats of a date range, of some agents, departments or contacts: what customers wanted, "
    "how they felt, how quick and how good the answers were. By default the last 30 days, all of them.",
)
def customer_analysis_job() -> None:
    analyse_customers()


def _means(who: Categorizer, dbt: DbtCli, run_id: str) -> Means:
    def categorize(chat_ids: Sequence[str]) -> Categorized:
        summary = who.categorize(chat_ids)
        return Categorized(summary.new_classifications, summary.stopped)

    return Means(
        who.name,
        who.version,
        who.is_llm,
        categorize=categorize,
        build_kpis=lambda: build_models(dbt, run_id, "path:models/rollups/customer_analyses"),
        run_id=run_id,
    )


def _metadata(row: dict[str, Any]) -> dict[str, dg.MetadataValue]:
    shown = ("id", "status", "triggered_by", "error_message")
    counted = (
        "chats_in_filter",
        "total_chats_analyzed",
        "categorized_count",
        "ai_analysis_count",
        "new_classification_count",
        "skipped_count",
        "pending_count",
        "total_messages_analyzed",
        "processing_time_ms",
    )
    return {
        "classified_by": dg.MetadataValue.text(analyses.classified_by(row)),
        "sample_rate": dg.MetadataValue.float(row["sample_rate"]),
        "filters": dg.MetadataValue.json(row["filters"]),
        **{name: dg.MetadataValue.text(row[name]) for name in shown if row[name]},
        **{name: dg.MetadataValue.int(row[name]) for name in counted},
    }
