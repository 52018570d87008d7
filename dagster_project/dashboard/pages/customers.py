"""Customer insights: what customers write about, how they feel, what became of the chats, and who says so."""

from dagster_project.dashboard.blocks import Card, Cards, Cell, Section, Table, Text
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.report.reading import breakdowns, kpis
from dagster_project.exports.report.view import breakdowns as told_of
from dagster_project.exports.report.view import operations


def page(shown: Shown) -> list[Section]:
    say, selection = shown.say, shown.selection
    data = shown.report(
        insights=breakdowns.insights(selection),
        intents=breakdowns.intents(selection),
        service=kpis.of_metrics(selection, kpis.SERVICE, ()),
    )
    told, service = told_of.insights(data, say), operations.operations(data, say)["service"]
    cards = [
        Card(tile["label"], "–" if tile["empty"] else tile["value"], tile["below"], tile["empty"])
        for tile in told["tiles"]
    ]
    sections = [
        Section(told["title"], [Cards(cards), Text([told["warning"]], is_warning=True)], intro=told["coverage"])
        if not told["empty"]
        else Section(told["title"], [Cards(cards), Text([say.text("dashboard.not_categorized")])])
    ]
    if told["intents"]:
        intents = told["intents"]
        shares = [intent.share for intent in data.intents]
        sections.append(
            Section(
                intents["title"],
                [
                    Table(
                        intents["title"],
                        intents["columns"],
                        [
                            [Cell(text, share=share if place == 2 else None) for place, text in enumerate(row)]
                            for row, share in zip(intents["rows"], shares, strict=True)
                        ],
                        is_caption_shown=False,
                    )
                ],
                intro=intents["caption"],
            )
        )
    groups = [
        Table(
            group["title"],
            [group["title"], say.text("column.share")],
            [[Cell(row["label"]), Cell(row["text"], share=row["share"])] for row in group["rows"]],
            is_caption_shown=True,
        )
        for group in told["groups"]
        if group["rows"]
    ]
    if groups:
        sections.append(Section(say.text("dashboard.moods"), groups, is_split=True))
    sections.append(
        Section(
            service["title"],
            [
                Table(
                    service["title"],
                    service["columns"],
                    [[Cell(text) for text in row] for row in service["rows"]],
                    is_caption_shown=False,
                )
            ],
            intro=service["caption"],
        )
    )
    return sections
