"""Response times: how long customers waited at each step, by wall clock and in business hours, and over the weeks."""

from dagster_project.dashboard import charts
from dagster_project.dashboard.blocks import Cell, Section, Table
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.report.reading import times
from dagster_project.exports.report.reading.report import history_start
from dagster_project.exports.report.view import waits


def page(shown: Shown) -> list[Section]:
    say, selection = shown.say, shown.selection
    data = shown.report(
        response_times=times.response_times(selection),
        days=times.trend(selection, "day", selection.period.start),
        history=times.trend(selection, "week", history_start(selection.period)),
    )
    told = waits.times(data, say)
    tables = [
        Table(table["title"], told["columns"], [[Cell(text) for text in row] for row in table["rows"]])
        for table in told["tables"]
    ]
    trends = [charts.lines(trend, told["caption"], is_logarithmic=True) for trend in told["trends"]]
    return [
        Section(told["title"], tables, intro=say.text("dashboard.times_intro")),
        Section(told["buckets"]["title"], [charts.stacks(told["buckets"])]),
        Section(say.text("sheet.history"), trends, is_split=True),
    ]
