"""How marts look on a terminal."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dagster_project.analysis.claude.categorize import Estimate
from dagster_project.analysis.customer_analysis.analyses import classified_by
from dagster_project.analysis.evaluation.scores import NONE, Report, Score
from dagster_project.exports.pictures.heatmap import COLOURS, Cell, Heatmap, short
from dagster_project.exports.report.data.times import Band
from dagster_project.exports.week import MONDAY_FIRST, day_name
from dagster_project.ingestion.status import HELD_BACK_SECONDS, EntityStatus
from dagster_project.warehouse import data_source
from dagster_project.warehouse.directory import Member

_WIDE = 6 + 24 * 4
_BEGAN = {
    "all": "all chats, those that agents began too",
    "incoming": "chats that customers began",
    "outgoing": "chats that agents began",
    "outgoing_broadcast": "broadcasts",
    "outgoing_all": "chats and broadcasts that agents began",
    "converted": "chats that agents began and customers answered",
}


def print_data_source(console: Console, source: data_source.Kind | None) -> None:
    """Of made-up data, that it is made up."""
    if source == "sandbox":
        console.print("datos de demostración · demo data: made up by the sandbox, not real", style="bold yellow")


def print_heatmap(console: Console, heatmap: Heatmap) -> None:
    """The heatmap as a table: a row a weekday, a column an hour; the other way round where the terminal is narrow."""
    console.print(
        f"\n[bold]First response, week of {heatmap.week_start}[/bold] "
        f"of {_BEGAN[heatmap.direction_filter]} (agent: {escape(heatmap.agent_id)}, source: {escape(heatmap.source)}, "
        f"direction: {heatmap.direction_filter}, "
        f"hours: {heatmap.office_hours_filter}; mean of each cell; local time)"
    )
    console.print(_table(heatmap) if console.width >= _WIDE else _narrow_table(heatmap))
    console.print(f"{_summary(heatmap)}   ", _legend())


def heatmap_as_dict(heatmap: Heatmap) -> dict[str, Any]:
    """The heatmap as plain values: the week's summary and its 168 cells, Monday first; times in seconds."""
    return {
        "week_start": heatmap.week_start.isoformat(),
        "agent_id": heatmap.agent_id,
        "source": heatmap.source,
        "direction_filter": heatmap.direction_filter,
        "office_hours_filter": heatmap.office_hours_filter,
        "chat_count": heatmap.chat_count,
        "mean_seconds": heatmap.mean_seconds,
        "cells": [vars(heatmap.cells[day, hour]) for day in MONDAY_FIRST for hour in range(24)],
    }


def print_members(console: Console, found: list[Member]) -> None:
    """Agents, departments, channels or sources: the id of each, and its name."""
    table = _plain_table("id", "name")
    for member in found:
        table.add_row(Text(member.id), Text(member.name))
    console.print(table if found else "none yet")


def print_evaluation(console: Console, report: Report, other: Report | None = None) -> None:
    """A classifier's scores, a row a field, and the confusion matrix of each; beside another's where there is one."""
    failed = f", {report.failed} without an answer" if report.failed else ""
    cost = f"{report.cost_usd:.4f} USD"
    console.print(f"{report.version}: {report.chats} chats in {report.seconds:.2f} s, {cost}{failed}")
    console.print(f"answered by {', '.join(report.classified_by) or 'nobody'}")
    numbers = ("chats", "accuracy", "95 %", "macro-F1", "kappa", "named, not due", *([other.version] if other else []))
    table = _plain_table("field", right=numbers)
    for name, score in report.fields.items():
        between = f"{_share(score.accuracy_low)}-{_share(score.accuracy_high)}"
        abstained = f"{score.named_without_gold} of {score.without_gold}"
        compared = [_share(other.fields[name].accuracy)] if other else []
        table.add_row(
            name,
            str(score.n),
            _share(score.accuracy),
            between,
            _share(score.macro_f1),
            _share(score.kappa),
            abstained,
            *compared,
        )
    console.print(table)
    console.print(
        f"intent or another acceptable one: {_share(report.acceptable_intent_accuracy)}   "
        f"calibration error of the confidence: {_share(report.calibration_error)}   "
        f"to review: {_share(report.unsure_share)} of the chats, "
        f"{_share(report.unsure_of_wrong_share)} of the wrong intents"
    )
    for name, score in report.fields.items():
        if score.n:
            console.print(_confusion(name, score))


def print_analysis(console: Console, made: dict[str, Any] | None, errors: list[str]) -> None:
    """How an analysis ended, and what it counted; errors where it did not."""
    for error in errors:
        console.print(f"failed {error}", style="red", markup=False, soft_wrap=True)
    if not made:
        return
    filters, rate = made["filters"], made["sample_rate"]
    sample = f" (a sample of {rate:.1%} of {made['chats_in_filter']:,})" if rate < 1 else ""
    console.print(
        f"analysis {made['id']}: {made['status']} in {(made['processing_time_ms'] or 0) / 1000:.1f} s\n"
        f"{filters['date_start']} to {filters['date_end']}: {made['total_chats_analyzed']:,} chats{sample}, "
        f"{made['total_messages_analyzed']:,} messages\n"
        f"{made['categorized_count']:,} classified by {classified_by(made)}, "
        f"{made['new_classification_count']:,} anew; {made['skipped_count']:,} skipped, "
        f"{made['pending_count']:,} pending\n"
        "See marts.customer_analyses, marts.customer_categorizations and marts.analysis_kpis.",
        markup=False,
        soft_wrap=True,
    )
    if made["error_message"]:
        console.print(made["error_message"], style="yellow", markup=False, soft_wrap=True)


def print_exports(console: Console, found: list[dict[str, Any]], zone: tzinfo) -> None:
    """Exports, newest first, two lines each: a file's name is too long to share a line with all the rest."""
    if not found:
        console.print("no export yet: `b2chat export report` makes one")
    for row in found:
        console.print(
            f"{row['id'][:8]}  {row['created_at'].astimezone(zone):%Y-%m-%d %H:%M}  by {row['user_id']}: "
            f"{row['export_type']} as {row['format']}, {row['record_count']:,} rows, {row['status']}\n"
            f"  {row['error_message'] or row['file_name']}",
            markup=False,
            soft_wrap=True,
        )


def print_estimate(console: Console, expected: Estimate) -> None:
    """What a run that asks Claude would send and cost."""
    way = "in batches" if expected.is_batch else "one by one"
    console.print(
        f"dry run: nothing was sent. {expected.requests:,} requests, {way}, for {expected.chats:,} chats; "
        f"{expected.reused:,} chats reuse an answer\n"
        f"estimated {expected.tokens_low:,} to {expected.tokens_high:,} tokens, {expected.usd_low:.4f} to "
        f"{expected.usd_high:.4f} USD; the caps leave {expected.budget_left:.2f} USD, {expected.affordable:,} requests "
        "at their highest",
        soft_wrap=True,
    )


def print_analyses(console: Console, analyses: list[dict[str, Any]]) -> None:
    """Analyses, newest first, two lines each: an id is too long to share a line with all the rest."""
    if not analyses:
        console.print("no analysis yet: `b2chat analyze` makes one")
    for made in analyses:
        filters, rate = made["filters"], made["sample_rate"]
        sample = f", a sample of {rate:.1%}" if rate < 1 else ""
        console.print(
            f"{made['id']}  {made['status']}\n"
            f"  asked {made['created_at']:%Y-%m-%d %H:%M} UTC by {made['triggered_by']}: {filters['date_start']} to "
            f"{filters['date_end']}{sample}, {made['total_chats_analyzed']:,} chats, "
            f"{made['categorized_count']:,} categorized",
            markup=False,
            soft_wrap=True,
        )
        if made["error_message"]:
            console.print(f"  {made['error_message']}", style="yellow", markup=False, soft_wrap=True)


def _confusion(name: str, score: Score) -> Table:
    columns = [*score.labels, *([NONE] if any(NONE in row for row in score.confusion.values()) else [])]
    table = Table(title=f"{name}: rows as labelled, columns as named", title_justify="left", box=None, padding=(0, 1))
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    for gold, row in score.confusion.items():
        table.add_row(gold, *(str(row.get(column, "·")) for column in columns))
    return table


def _share(value: float | None) -> str:
    return "·" if value is None else f"{value:.2f}"


def print_status(console: Console, states: list[EntityStatus], unread: list[dict[str, str]]) -> None:
    """The state of each entity, a row each, and what notifications are unread."""
    table = _plain_table(
        "entity", "state", "last success", "read through", right=("open windows", "in quarantine", "requests today")
    )
    for state in states:
        ago = f"{short(state.lag.total_seconds())} ago" if state.lag else "never"
        table.add_row(
            name_of(state),
            state.state,
            ago,
            str(state.data_through or "·"),
            str(state.open_checkpoints),
            str(state.quarantined),
            f"{state.quota_used:,}",
        )
    console.print(table)
    for state in states:
        if state.last_error:
            console.print(f"{name_of(state)}: {state.last_error}", style="yellow", markup=False, soft_wrap=True)
    for line in sorted(set(_told_of_reading(states))):
        console.print(line, style="yellow", markup=False, soft_wrap=True)
    for note in unread:
        console.print(
            f"{note['type']}: {note['title']}: {note['message']}", style="yellow", markup=False, soft_wrap=True
        )


def name_of(state: EntityStatus) -> str:
    """An entity as it is called on a terminal: B2Chat's by their own names."""
    return state.entity if state.source.startswith("b2chat") else f"{state.source} {state.entity}"


def _told_of_reading(states: list[EntityStatus]) -> Iterator[str]:
    """What is to be known of how sources are read that are databases."""
    for state in states:
        if state.may_miss:
            yield f"{state.source}: read by updated_at, which may miss rows (docs/rooms.md)"
        if (state.ceiling_age_seconds or 0) > HELD_BACK_SECONDS:
            age = short(float(state.ceiling_age_seconds or 0))
            yield (
                f"{state.source}: a transaction of process {state.ceiling_holder_pid or 'unknown'} at the source is "
                f"open for {age}: rows written since it began wait for it"
            )


def _plain_table(*left: str, right: Sequence[str] = ()) -> Table:
    """A table without lines, with text on the left and numbers on the right. What is too wide is folded, never cut."""
    table = Table(show_edge=False, box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in left:
        table.add_column(head, overflow="fold")
    for head in right:
        table.add_column(head, overflow="fold", justify="right")
    return table


def _table(heatmap: Heatmap) -> Table:
    table = _grid([f"{hour:02}" for hour in range(24)])
    for day in MONDAY_FIRST:
        table.add_row(day_name(day), *(_paint(heatmap.cells[day, hour]) for hour in range(24)))
    return table


def _narrow_table(heatmap: Heatmap) -> Table:
    table = _grid([day_name(day) for day in MONDAY_FIRST])
    for hour in range(24):
        table.add_row(f"{hour:02}", *(_paint(heatmap.cells[day, hour]) for day in MONDAY_FIRST))
    return table


def _grid(heads: list[str]) -> Table:
    table = Table(show_edge=False, padding=0, box=None, header_style="dim")
    table.add_column("", width=6)
    for head in heads:
        table.add_column(head, justify="center", width=4)
    return table


def _paint(cell: Cell) -> Text:
    return Text(f"{short(cell.mean_seconds):^4}", style="dim" if cell.band == "no_data" else _style(cell.band))


def _style(band: Band) -> str:
    red, green, blue = COLOURS[band]
    return f"{'black' if band == 'average' else 'white'} on rgb({red},{green},{blue})"


def _summary(heatmap: Heatmap) -> str:
    if not heatmap.chat_count:
        return f"none of the {_BEGAN[heatmap.direction_filter]} was answered in this week"
    total = f"{heatmap.chat_count} answered chats, mean {short(heatmap.mean_seconds)}"
    if not heatmap.fastest or not heatmap.slowest:
        return f"{total}, no slot of {heatmap.slot_min_chat_count} chats or more"
    slots = f"fastest {_name(heatmap.fastest)}, slowest {_name(heatmap.slowest)}"
    return f"{total}; of the slots with {heatmap.slot_min_chat_count} chats or more: {slots}"


def _name(cell: Cell) -> str:
    return f"{day_name(cell.day_of_week)} {cell.hour:02}h ({short(cell.mean_seconds)})"


def _legend() -> Text:
    legend = Text()
    for band in ("fast", "average", "slow"):
        legend.append(f" {band} ", style=_style(band))
    return legend.append(" · no data", style="dim")
