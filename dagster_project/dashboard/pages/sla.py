"""SLA: which targets were met, what is pending, how the days went, and which breached chats are still open."""

from dagster_project.dashboard import charts
from dagster_project.dashboard.blocks import Cell, Section, Table, Text
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.report.reading import times
from dagster_project.exports.report.view import waits


def page(shown: Shown) -> list[Section]:
    say, selection = shown.say, shown.selection
    targets = times.sla(selection)
    data = shown.report(
        sla=targets,
        days=times.trend(selection, "day", selection.period.start),
        open_breaches=times.open_breaches(selection),
        open_breached_count=targets[0].open_breached_count,
    )
    told, open_ones = waits.sla(data, say), waits.actions(data, say)
    tables = [
        Table(
            table["title"],
            told["columns"],
            [
                [
                    *(Cell(text) for text in row["cells"][:5]),
                    Cell(row["cells"][5], share=row["rate"], goal=row["goal"], note=row["verdict"]),
                    *(Cell(text) for text in row["cells"][6:]),
                ]
                for row in table["rows"]
            ],
        )
        for table in told["tables"]
    ]
    found = Table(
        open_ones["open_title"],
        open_ones["columns"],
        [[Cell(text) for text in row] for row in open_ones["open"]],
        texts=(0, 1, 2, 3),
        is_caption_shown=False,
    )
    return [
        Section(told["title"], tables, intro=told["intro"]),
        Section(told["trend"]["title"], [charts.lines(told["trend"])]),
        Section(
            open_ones["open_title"],
            [found] if data.open_breaches else [Text([open_ones["open_why"]])],
            intro=open_ones["open_why"] if data.open_breaches else "",
        ),
    ]
