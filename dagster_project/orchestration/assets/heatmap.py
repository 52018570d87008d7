"""The week's heatmap as a picture that the UI shows."""

import logging

import dagster as dg
import psycopg
from pydantic import Field

from dagster_project.exports.pictures import heatmap as heatmaps
from dagster_project.exports.week import day_name
from dagster_project.orchestration.assets.launch import config_day
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.ui import markdown
from dagster_project.warehouse import data_source, directory

log = logging.getLogger(__name__)


class PictureConfig(dg.Config):
    """Which heatmap to paint."""

    week: str = Field("", description="The week's Monday, YYYY-MM-DD; default: the last full week.")
    agent_id: str = Field("all", description="An agent's id or name, or all.")
    direction_filter: str = Field(
        heatmaps.DEFAULT_DIRECTION, description=f"How the chats began: one of {', '.join(heatmaps.DIRECTIONS)}."
    )
    office_hours_filter: str = Field("all", description=f"One of {', '.join(heatmaps.OFFICE_HOURS)}.")


@dg.asset(
    key=["marts", "weekly_heatmap_picture"],
    deps=[dg.AssetKey(["marts", "weekly_response_time_heatmap"])],
    group_name="marts",
    owners=["team:analytics"],
    kinds={"python", "png"},
    description="The last full week's first-response heatmap of chats that customers began, painted: a row a weekday "
    "from Monday, a column an hour; blue fast, yellow average, red slow, grey no data.",
)
def weekly_heatmap_picture(config: PictureConfig, warehouse: Warehouse) -> dg.MaterializeResult:
    with warehouse.connect() as conn:
        week = config_day(config.week, "week") or heatmaps.last_full_week(conn)
        if week is None:
            log.warning("there are no chats yet, so there is no week to paint")
            return dg.MaterializeResult(metadata={"chats": 0})
        try:
            agent_id = config.agent_id if config.agent_id == "all" else directory.find(conn, "agent", config.agent_id)
            heatmap = heatmaps.read(
                conn,
                week,
                agent_id=agent_id,
                direction=config.direction_filter,
                office_hours=config.office_hours_filter,
            )
        except (heatmaps.NoSuchWeek, directory.NoSuchMember) as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        log.info("painted the week of %s: %d answered chats", week, heatmap.chat_count)
        metadata = _metadata(heatmap)
        if data_source.is_demo(conn):
            metadata["data"] = dg.MetadataValue.text("demo data, not real")
    return dg.MaterializeResult(metadata=metadata)


def thumbnail(conn: psycopg.Connection) -> dg.MetadataValue | None:
    """The last full week, small enough for the UI to show it in place; None where there is none."""
    week = heatmaps.last_full_week(conn)
    try:
        return markdown.picture("heatmap", heatmaps.picture(heatmaps.read(conn, week), cell=14)) if week else None
    except heatmaps.NoSuchWeek:
        return None


def _metadata(heatmap: heatmaps.Heatmap) -> dict[str, dg.MetadataValue]:
    values: dict[str, dg.MetadataValue] = {
        # Below a thousand characters the UI shows it in place, above it behind a link.
        "heatmap": markdown.picture("heatmap", heatmaps.picture(heatmap, cell=14)),
        "heatmap_large": markdown.picture("heatmap", heatmaps.picture(heatmap, cell=40)),
        "week_start": dg.MetadataValue.text(heatmap.week_start.isoformat()),
        "direction": dg.MetadataValue.text(heatmap.direction_filter),
        "chats": dg.MetadataValue.int(heatmap.chat_count),
        "cells_with_chats": dg.MetadataValue.int(sum(1 for cell in heatmap.cells.values() if cell.chat_count)),
    }
    if heatmap.mean_seconds is not None:
        values["mean_first_response_minutes"] = dg.MetadataValue.float(round(heatmap.mean_seconds / 60, 1))
    if heatmap.fastest and heatmap.slowest:
        values["fastest_cell"] = dg.MetadataValue.text(_name(heatmap.fastest))
        values["slowest_cell"] = dg.MetadataValue.text(_name(heatmap.slowest))
    return values


def _name(cell: heatmaps.Cell) -> str:
    day = day_name(cell.day_of_week)
    return f"{day} {cell.hour:02}:00, mean {heatmaps.short(cell.mean_seconds)} over {cell.chat_count} chats"
