"""Operations: how fresh the data is, how the syncs of the week went, what is in quarantine, and what AI costs."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dagster_project.dashboard.blocks import Cell, Facts, Section, Table, Text
from dagster_project.dashboard.pages import rooms
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.queries import Between, select
from dagster_project.exports.report.reading import breakdowns
from dagster_project.exports.report.reading.account import coverage
from dagster_project.exports.report.view import operations

_SPENDING_DAYS = 31


@dataclass(frozen=True)
class _Sync:
    local_date: date
    source: str
    entity_type: str
    syncs: int
    failures: int
    records_read: int
    records_new: int
    records_changed: int
    records_quarantined: int
    last_success_at: datetime | None
    freshness: str


@dataclass(frozen=True)
class _Mart:
    freshness: str
    mart: str
    data_through: datetime | None
    refreshed_at: datetime | None
    waiting_load_count: int | None


@dataclass(frozen=True)
class _Spending:
    utc_date: date
    model: str
    request_count: int
    answered_count: int
    unusable_count: int
    cost_usd: float | None
    model_vendor_label_es: str
    model_vendor_label_en: str


def page(shown: Shown) -> list[Section]:
    say, selection = shown.say, shown.selection
    data = shown.report(
        coverage=coverage(shown.connection, "week", str(selection.period.start)),
        insights=breakdowns.insights(selection),
    )
    notes = operations.notes(data, say)
    rules = Table(
        notes["rules_title"],
        notes["rules_columns"],
        [[Cell(text) for text in row] for row in notes["rules"]],
        texts=(0, 1),
        empty=notes["rules_none"],
        is_caption_shown=False,
    )
    targets = say.text("notes.targets")
    facts = [(name, value) for name, value in notes["coverage"] if name != targets]
    return [
        Section(notes["coverage_title"], [Facts(facts)], intro=notes["whole_account"]),
        Section(say.text("dashboard.syncs"), [_syncs(shown)]),
        Section(notes["rules_title"], [rules]),
        Section(say.text("dashboard.tables"), [_late(shown)]),
        *rooms.overdue(shown),
        Section(say.text("dashboard.spending"), [_spending(shown)], intro=say.text("dashboard.spending_intro")),
        Section(notes["definitions_title"], [Facts([(name, text) for name, text in notes["definitions"]])]),
    ]


def _syncs(shown: Shown) -> Table:
    """The newest days first, of those of the week and the ones after it that are near."""
    say, period = shown.say, shown.selection.period
    found = select(
        shown.connection,
        _Sync,
        "marts.sync_health",
        {"local_date": Between(period.start, period.end + timedelta(days=7))},
        order_by="local_date desc, source, entity_type",
    )
    rows = [
        [
            Cell(say.day(sync.local_date)),
            Cell(f"{sync.source} · {sync.entity_type}"),
            Cell(say.text(f"dashboard.freshness.{sync.freshness}"), mark=sync.freshness),
            *(
                Cell(say.number(count))
                for count in (
                    *(sync.syncs, sync.failures, sync.records_read, sync.records_new, sync.records_changed),
                    sync.records_quarantined,
                )
            ),
        ]
        for sync in found
        if sync.syncs or sync.records_read
    ]
    heads = ("source", "freshness", "syncs", "failures", "read", "new", "changed", "quarantined")
    return Table(
        say.text("dashboard.syncs"),
        [say.text("column_title.local_date"), *(say.text(f"dashboard.head.{head}") for head in heads)],
        rows,
        texts=(0, 1, 2),
        empty=say.text("dashboard.no_syncs"),
        is_caption_shown=False,
    )


def _late(shown: Shown) -> Table | Text:
    """The marts that are behind; a line where none is."""
    say, zone = shown.say, shown.account.timezone
    marts = select(shown.connection, _Mart, "marts.data_freshness", {}, order_by="data_through, mart")
    late = [mart for mart in marts if mart.freshness != "fresh"]
    if not late:
        return Text([say.text("dashboard.all_fresh", count=say.number(len(marts)))])
    heads = ("mart", "freshness", "through", "refreshed", "waiting")
    return Table(
        say.text("dashboard.tables_late", late=say.number(len(late)), count=say.number(len(marts))),
        [say.text(f"dashboard.head.{head}") for head in heads],
        [
            [
                Cell(mart.mart),
                Cell(say.text(f"dashboard.freshness.{mart.freshness}"), mark=mart.freshness),
                Cell(say.short_instant(mart.data_through, zone)),
                Cell(say.short_instant(mart.refreshed_at, zone)),
                Cell("–" if mart.waiting_load_count is None else say.number(mart.waiting_load_count)),
            ]
            for mart in late
        ],
        texts=(0, 1),
    )


def _spending(shown: Shown) -> Table:
    say, end = shown.say, shown.selection.period.end
    found = select(
        shown.connection,
        _Spending,
        "marts.ai_usage_daily",
        {"utc_date": Between(end - timedelta(days=_SPENDING_DAYS - 1), end)},
        order_by="utc_date desc, model",
    )
    heads = ("model", "vendor", "requests", "answered", "unusable", "cost")
    return Table(
        say.text("dashboard.spending"),
        [say.text("column_title.local_date"), *(say.text(f"dashboard.head.{head}") for head in heads)],
        [
            [
                Cell(say.day(day.utc_date)),
                Cell(day.model),
                Cell(day.model_vendor_label_es if say.language == "es" else day.model_vendor_label_en),
                Cell(say.number(day.request_count)),
                Cell(say.number(day.answered_count)),
                Cell(say.number(day.unusable_count)),
                Cell("–" if day.cost_usd is None else say.number(day.cost_usd, 2)),
            ]
            for day in found
        ],
        texts=(0, 1, 2),
        empty=say.text("dashboard.no_spending"),
        is_caption_shown=False,
    )
