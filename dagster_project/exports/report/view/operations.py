"""Of a report's view model: what became of the chats, what is open, and how far to trust it all."""

from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.phrases import (
    classified_by,
    not_categorized,
)
from dagster_project.exports.report.view.charts import (
    ViewModel,
    round_ticks,
)


def operations(data: ReportData, say: Wording) -> ViewModel:
    return {
        "title": say.text("section.operations"),
        "service": {
            "title": say.text("service.title"),
            "columns": [say.text(f"column.{name}") for name in ("metric", "value", "count", "before", "share_delta")],
            "rows": [
                [
                    say.text(f"kpi.{kpi.metric}"),
                    say.value(kpi.value, kpi.unit),
                    say.number(kpi.count) if kpi.count != kpi.value else "",
                    say.value(kpi.previous, kpi.unit),
                    say.change(kpi) or "–",
                ]
                for kpi in data.service
            ],
            "caption": say.text("service.caption", kind=say.kind(data.direction)),
        },
        "backlog": None if data.filter.scope == "direction" else _backlog(data, say),
        "backlog_caption": say.text("service.caption.backlog"),
    }


def _backlog(data: ReportData, say: Wording) -> ViewModel:
    backlog = data.backlog
    lines = (("open", "open_count"), ("over_1d", "over_1d_count"), ("waiting", "waiting_for_answer_count"))
    series = []
    for name, column in lines:
        values = [getattr(midnight, column) for midnight in backlog]
        series.append({"name": say.text(f"operations.{name}"), "values": values})
    highest = max((value for line in series for value in line["values"] if value is not None), default=0)
    labels = [say.short_day(midnight.day) for midnight in backlog]
    told = "; ".join(
        f"{label}: {say.number(midnight.open_count)}" for label, midnight in zip(labels, backlog, strict=True)
    )
    title = say.text("operations.backlog")
    return {
        "title": title,
        "labels": labels,
        "series": series,
        "ticks": [{"value": tick, "label": say.number(tick)} for tick in round_ticks(highest)],
        "empty": "" if any(midnight.open_count is not None for midnight in backlog) else say.text("no_data"),
        "alt": say.text("trend.alt", title=title, values=told),
    }


def notes(data: ReportData, say: Wording) -> ViewModel:
    coverage, freshness = data.coverage, data.freshness
    history = say.text("no_data")
    if freshness.first_date and freshness.last_date:
        history = say.text("period.range", first=say.day(freshness.first_date), last=say.day(freshness.last_date))
    read = say.text("notes.days.value", read=coverage.days_read_whole, days=coverage.day_count)
    categorized = f"{say.number(data.insights.categorized_count)} ({classified_by(data, say)})"
    categorized += not_categorized(data.insights, say)
    definitions = (
        *("incoming", "n", "pickup", "first_response", "reply", "handling", "resolution", "percentiles", "clock"),
        *("sla", "backlog", "change", "no_data"),
    )
    return {
        "title": say.text("section.notes"),
        "coverage_title": say.text("notes.coverage"),
        "coverage": [
            [say.text("data_through"), say.instant(freshness.data_through, data.timezone)],
            [say.text("notes.refreshed"), say.instant(freshness.refreshed_at, data.timezone)],
            [say.text("notes.history"), history],
            [say.text("notes.days"), read],
            [say.text("notes.failed"), say.number(coverage.failed_syncs)],
            [say.text("notes.quarantine"), say.number(coverage.quarantined_count)],
            [say.text("notes.categorized"), categorized],
            [
                say.text("notes.targets"),
                say.text("notes.targets.default" if data.has_default_targets else "notes.targets.set"),
            ],
        ],
        "glyphs": say.text("notes.glyphs"),
        "whole_account": say.text("notes.whole_account"),
        "left_out": "" if data.filter.scope == "all" else say.text(f"notes.left_out.{data.filter.scope}"),
        "rules_title": say.text("notes.rules"),
        "rules_none": say.text("notes.rules.none"),
        "rules_columns": [say.text(f"column.{name}") for name in ("rule", "severity", "broken", "checked", "share")],
        "rules": [
            [
                (rule.label_es if say.language == "es" else rule.label_en)
                + (f" ({say.label('quality_subject', rule.subject)})" if rule.subject != "chats" else ""),
                say.label("severity", rule.severity),
                say.number(rule.broken_count),
                say.number(rule.checked_count),
                say.percent(rule.broken_count / rule.checked_count if rule.checked_count else None),
            ]
            for rule in coverage.rules
        ],
        "growth_title": say.text("growth.title"),
        "growth_columns": [say.text(f"growth.{name}") for name in ("table", "rows", "a_day", "threshold", "reached")],
        "growth": [
            [
                f"{table.schema_name}.{table.table_name}",
                say.number(table.row_count),
                say.number(round(table.daily_row_growth)),
                say.number(table.threshold_row_count),
                say.day(table.reached_date),
            ]
            for table in data.growth
        ],
        "growth_caption": say.text("growth.caption"),
        "definitions_title": say.text("notes.definitions"),
        "definitions": [say.text(f"definition.{name}").split("|") for name in definitions],
    }
