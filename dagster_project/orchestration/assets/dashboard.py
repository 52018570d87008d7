"""The dashboard's static site, published after the marts are built."""

import logging
from typing import cast

import dagster as dg
from pydantic import Field

from dagster_project.dashboard import site
from dagster_project.dashboard.errors import DashboardFailed
from dagster_project.dashboard.reader import reader
from dagster_project.exports.i18n.language import Language
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import SettingsError

log = logging.getLogger(__name__)

_READS = (
    *("kpi_weekly", "chat_response_times", "weekly_response_time_heatmap", "heatmap_weeks", "sla_chats"),
    *("conversation_traffic_heatmap", "backlog_daily", "agent_daily", "chat_categories", "data_freshness"),
    *("scope_members", "data_sources", "sync_health", "data_quality", "ai_usage_daily"),
)


class SiteConfig(dg.Config):
    """What the site holds."""

    weeks: int = Field(0, ge=0, le=260, description="How many of the last weeks; 0: B2CHAT_DASHBOARD_WEEKS.")
    language: str = Field("", description="es or en alone; default: both.")


@dg.asset(
    key=["dashboard", "site"],
    deps=[dg.AssetKey(["marts", name]) for name in _READS],
    group_name="dashboard",
    owners=["team:analytics"],
    kinds={"python", "html"},
    description="The dashboard as files: overview, heatmap, response times, SLA, agents, traffic and backlog, what "
    "customers want, operations; a page a week and language, read as bi_reader. `b2chat dashboard serve` has filters.",
)
def dashboard_site(config: SiteConfig, warehouse: Warehouse) -> dg.MaterializeResult:
    settings = warehouse.settings()
    try:
        with reader(settings, warehouse.url) as marts:
            made = site.build(
                marts,
                settings.dashboard_path,
                languages=site.languages(settings, cast(Language | None, config.language or None)),
                weeks=config.weeks or settings.dashboard_weeks,
                timezone=settings.timezone,
                company=settings.company,
            )
    except (DashboardFailed, SettingsError) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    log.info("%d files of %d weeks", made.file_count, len(made.weeks))
    return dg.MaterializeResult(
        metadata={
            "first_page": dg.MetadataValue.path(str(made.first_page)),
            "files": dg.MetadataValue.int(made.file_count),
            "weeks": dg.MetadataValue.int(len(made.weeks)),
        }
    )
