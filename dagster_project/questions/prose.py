"""Answers in a few lines of text, beside their structure: for a reader without a table."""

from dagster_project.questions.answers import Answer, CellAnswer, Filters, Freshness, MetricAnswer, MetricRow
from dagster_project.questions.heatmaps import Week

_SHOWN = 15


def of_metric(answer: MetricAnswer) -> str:
    """A metric: what it is, then a line a row."""
    metric = answer.metric
    lines = [f"{metric.label} ({metric.name}, {metric.unit}), by {answer.grain}: {_filters(answer.filters)}."]
    lines += [f"- {_row(row, metric.unit)}" for row in answer.rows[:_SHOWN]]
    if answer.row_count > _SHOWN:
        lines.append(f"- … {answer.row_count} rows in all; the structured answer has {len(answer.rows)}")
    if not answer.rows:
        lines.append("Nothing to count: no value, which is not 0.")
    return _whole(lines, answer)


def of_week(week: Week) -> str:
    """A heatmap as a table of mean first responses."""
    answer = week.answer
    lines = [
        f"First response, week of {answer.week_start}: {_filters(answer.filters)}. {answer.count} answered chats, mean "
        f"{_value(answer.mean_seconds, 'seconds')}, median {_value(answer.p50_seconds, 'seconds')}.",
        week.text(),
        "Means; + is fast and ! slow among this week's cells, · is a cell without chats.",
    ]
    for word, slot in (("Slowest", answer.slowest), ("Fastest", answer.fastest)):
        if slot:
            mean = _value(slot.mean_seconds, "seconds")
            lines.append(f"{word} slot: {slot.day} {slot.hour}h, mean {mean} of {slot.chat_count} chats.")
    return _whole(lines, answer)


def of_cell(answer: CellAnswer, day: str) -> str:
    """A cell: counts, and the ids of its slowest chats."""
    lines = [f"{answer.count} chats of {day} {answer.hour}h, week of {answer.week_start}: {_filters(answer.filters)}."]
    for what, parts in (("By status", answer.by_status), ("By agent", answer.by_agent)):
        if parts:
            lines.append(f"{what}: {', '.join(f'«{part.name}» {part.chat_count}' for part in parts)}.")
    if answer.slowest_chats:
        slow = [f"{one.chat_id} ({_value(one.first_response_seconds, 'seconds')})" for one in answer.slowest_chats[:10]]
        lines.append(f"Slowest chats: {', '.join(slow)}.")
    return _whole(lines, answer)


def of_freshness(freshness: Freshness) -> str:
    """One line: how far the data goes."""
    through = f"{freshness.data_through:%Y-%m-%d %H:%M}" if freshness.data_through else "never"
    refreshed = f"{freshness.refreshed_at:%Y-%m-%d %H:%M}" if freshness.refreshed_at else "never"
    made_up = " Demo data: made up by the sandbox, not real." if freshness.is_made_up else ""
    return f"Data through {through}, refreshed at {refreshed}: {freshness.state}.{made_up}"


def _whole(lines: list[str], answer: Answer) -> str:
    lines += [answer.note] if answer.note else []
    return "\n".join([*lines, of_freshness(answer.freshness), answer.about_data])


def _row(row: MetricRow, unit: str) -> str:
    change = ""
    if row.change_pct is not None:
        change = f", {row.change_pct:+.0f} % against the period before"
    elif row.change is not None and unit == "share":
        change = f", {100 * row.change:+.1f} points against the period before"
    partial = ", period not whole" if row.is_partial else ""
    name = "" if row.name == "all" else f" «{row.name}»"
    return f"{row.period_start}{name}: {_value(row.value, unit)} (of {row.count}{change}{partial})"


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "no data"
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "seconds":
        minutes, seconds = divmod(round(value), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{value:,.0f} s" if value < 60 else f"{hours}:{minutes:02}:{seconds:02}"
    return f"{value:,.1f}".removesuffix(".0")


def _filters(filters: Filters) -> str:
    direction = {"all": "chats of every direction", "incoming": "chats that customers began"}.get(
        filters.direction, f"{filters.direction} chats"
    )
    whose = {"all": "all"}.get(filters.scope, f"by {filters.scope}")
    names = f" ({', '.join(f'«{name}»' for name in filters.members)})" if filters.members else ""
    hours = {None: "", "all": ""}.get(filters.office_hours, f", {filters.office_hours}")
    return f"{direction}, {whose}{names}{hours}"
