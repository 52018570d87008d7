"""The commands that show what the marts hold: heatmap, list, docs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

import typer

from dagster_project.cli.command_line import FAILED, JsonOption, console, day, fail, print_answer
from dagster_project.deployment import environment
from dagster_project.exports.pictures import heatmap as heatmaps
from dagster_project.exports.requests import LAST
from dagster_project.settings import Settings
from dagster_project.warehouse import connection, data_source, directory


class Members(StrEnum):
    """What `list` can list."""

    AGENTS, DEPARTMENTS, CHANNELS, SOURCES = "agents", "departments", "channels", "sources"


def heatmap(
    week: Annotated[
        str | None, typer.Option(help="Monday of the week, YYYY-MM-DD, or last. Default: the last full week.")
    ] = None,
    agent: Annotated[str, typer.Option(help="An agent's name or id, or all.")] = "all",
    source: Annotated[
        str | None, typer.Option(help="Of one source; or all: together, without times. Default: the first of several.")
    ] = None,
    direction: Annotated[StrEnum("Direction", heatmaps.DIRECTIONS), typer.Option()] = heatmaps.DEFAULT_DIRECTION,  # type: ignore[valid-type]
    office_hours: Annotated[StrEnum("OfficeHours", heatmaps.OFFICE_HOURS), typer.Option()] = "all",  # type: ignore[valid-type]
    as_json: JsonOption = False,
) -> None:
    """Print a week's response-time heatmap: of chats that customers began, if you say nothing else."""
    from dagster_project.cli import render  # noqa: PLC0415

    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        monday = day(week, "--week") if week and week != LAST else heatmaps.last_full_week(conn)
        if monday is None:
            raise heatmaps.NoSuchWeek(directory.NOTHING_YET)
        agent_id = agent if agent == "all" else directory.find(conn, "agent", agent)
        source_id = source if source is None or source == "all" else directory.find(conn, "source", source)
        shown = heatmaps.read(
            conn,
            monday,
            agent_id=agent_id,
            source=source_id,
            direction=str(direction),
            office_hours=str(office_hours),
        )
        if not shown.chat_count:
            raise heatmaps.NoSuchWeek(
                f"no chat of the week of {monday} was answered (agent: {directory.shortened(agent)}, "
                f"direction: {direction}, hours: {office_hours})"
            )
        data = data_source.kind_of(conn)
    if not as_json:
        render.print_data_source(console, data)
    answer = {"data_source": data} | render.heatmap_as_dict(shown)
    print_answer(as_json, answer, lambda: render.print_heatmap(console, shown))


def list_members(
    what: Annotated[Members, typer.Argument(help="What to list.")],
    as_json: JsonOption = False,
) -> None:
    """List the agents, departments, channels or sources to filter by: ids, and names, which work as well."""
    from dagster_project.cli import render  # noqa: PLC0415

    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        found = directory.members(conn, cast(directory.Kind, str(what).removesuffix("s")))
    answer = {str(what): [vars(member) for member in found]}
    print_answer(as_json, answer, lambda: render.print_members(console, found))


def docs(
    out: Annotated[
        Path | None, typer.Option(help="File to write. Default: docs/index.html in the data folder.")
    ] = None,
) -> None:
    """Write dbt's documentation as one page: each table and column with its description, tests, SQL and lineage."""
    from dagster_project.orchestration import dbt_project  # noqa: PLC0415

    settings = Settings.load()
    with environment.running(environment.for_work(settings)) as deployment:
        page = (out or deployment.settings.data_path / "docs" / "index.html").absolute()
        try:
            dbt_project.write_docs(page)
        except dbt_project.DocsFailed as error:
            fail(str(error), FAILED)
        console.print(f"{page}  (open it in a browser, or copy it to any web server)", soft_wrap=True)
