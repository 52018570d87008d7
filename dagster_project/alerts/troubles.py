"""What somebody should know of: syncs that keep failing, lost freshness, quarantine, the AI budget, KPIs and SLA.

A title is made of our own words, the names of our sources, jobs and metrics, and numbers: it may be sent to anybody.
What else is known, such as the error of a sync, is the detail, which stays in the warehouse.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import psycopg

from dagster_project.analysis.claude import ledger
from dagster_project.analysis.claude.classifier import ENDPOINT
from dagster_project.settings import Settings
from dagster_project.sources.contract import SourceSpec
from dagster_project.warehouse import connection, data_source
from dagster_project.warehouse.backup import configured

_HELD_BACK_SECONDS = 15 * 60  # that a transaction at a source may be open
Severity = Literal["error", "warning"]
Kind = Literal[
    "run_failed",
    "sync_failing",
    "freshness_lost",
    "quarantine_grew",
    "ai_budget",
    "sla_below_goal",
    "kpi_out_of_band",
    "backup_too_old",
]
KINDS: dict[Kind, str] = {
    "run_failed": "the newest run of a job failed",
    "sync_failing": "a sync failed twice in a row",
    "freshness_lost": "a source, or marts, are older than they may be",
    "quarantine_grew": "records could not be read",
    "ai_budget": "Claude's budget of the month is nearly or wholly spent",
    "sla_below_goal": "a rate of the SLA was below its goal on the last full day",
    "kpi_out_of_band": "a KPI is far from what is usual for the weekday and hour",
    "backup_too_old": "there is no fresh backup, or none that was restored as a drill",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now. Kind and subject tell one trouble from another.

    Attributes:
        subject: whose: source/entity, a job, a metric; never a person.
        title: one line that may be sent.
        detail: what else is known; it is never sent.
        value: the size of it, where it has one.
        source: the source that is in trouble, where one is.
        run_id: the run in which it happened, where it is one.
    """

    kind: Kind
    subject: str
    severity: Severity
    title: str
    detail: str = ""
    value: float | None = None
    source: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found, and at which kinds it could look: an episode of another kind is not over because of it."""

    troubles: Sequence[Trouble] = ()
    kinds: frozenset[str] = field(default_factory=frozenset)

    def __add__(self, other: "Look") -> "Look":
        return Look([*self.troubles, *other.troubles], self.kinds | other.kinds)


def look(conn: psycopg.Connection, settings: Settings, sources: Sequence[SourceSpec]) -> Look:
    """Look at all that the warehouse itself knows."""
    stale = [*_stale(conn, sources, settings.freshness_minutes), *_held_back(conn, sources)]
    found = [*_failing(conn), *stale, *_quarantine(conn)]
    seen = Look(found, frozenset({"sync_failing", "freshness_lost", "quarantine_grew"}))
    seen += Look(list(_ai_budget(conn, settings)), frozenset({"ai_budget"}))
    return seen + Look(list(_backups(conn, settings)), frozenset({"backup_too_old"})) + _kpis(conn)


def _failing(conn: psycopg.Connection) -> Iterable[Trouble]:
    rows = conn.execute(
        """
        select source, entity_type, max(error_message) filter (where nth = 1)
        from (
            select source, entity_type, status, error_message,
                   row_number() over (partition by source, entity_type order by started_at desc) as nth
            from ops.sync_logs where status <> 'in_progress'
        ) as logs
        where nth <= 2 group by source, entity_type having count(*) filter (where status = 'error') = 2
        """
    ).fetchall()
    for source, entity, reason in rows:
        title = f"Sync of {source} {entity} failed twice in a row"
        detail = reason or "no reason was noted"
        yield Trouble("sync_failing", f"{source}/{entity}", "error", title, detail, source=source)


def _stale(conn: psycopg.Connection, sources: Sequence[SourceSpec], minutes: int) -> Iterable[Trouble]:
    rows = conn.execute(
        """
        select source, entity_type, to_char(last_sync_timestamp at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
        from ops.sync_states where source = any(%s) and last_sync_timestamp < now() - make_interval(mins => %s)
        """,
        [[source.name for source in sources if source.is_continuous], minutes],
    ).fetchall()
    for source, entity, last in rows:
        title = f"No fresh {source} {entity}: the last successful sync ended {last} UTC"
        yield Trouble("freshness_lost", f"{source}/{entity}", "error", title, source=source)


def _held_back(conn: psycopg.Connection, sources: Sequence[SourceSpec]) -> Iterable[Trouble]:
    """A transaction at a source that was open for long: what was written since it began waits for its end."""
    rows = conn.execute(
        """
        select source, max(ceiling_age_seconds), max(ceiling_holder_pid) from ops.sync_states
        where source = any(%s) and ceiling_age_seconds > %s group by 1
        """,
        [[source.name for source in sources], _HELD_BACK_SECONDS],
    ).fetchall()
    for source, seconds, pid in rows:
        title = f"Reading of {source} is held back by a transaction that is open for {seconds // 60} minutes there"
        detail = f"process {pid or 'unknown'} of that server: end it, or wait"
        yield Trouble("freshness_lost", f"{source}/held_back", "warning", title, detail, value=seconds, source=source)


def _quarantine(conn: psycopg.Connection) -> Iterable[Trouble]:
    rows = conn.execute(
        "select source, entity_type, count(*) from raw.quarantine where resolved_at is null group by 1, 2"
    ).fetchall()
    for source, entity, count in rows:
        title = f"{count} records of {source} {entity} in quarantine"
        detail = "see raw.quarantine; after a fix run the job retry_quarantine"
        yield Trouble("quarantine_grew", f"{source}/{entity}", "warning", title, detail, value=count, source=source)


def _ai_budget(conn: psycopg.Connection, settings: Settings) -> Iterable[Trouble]:
    if not settings.anthropic_api_key or not settings.ai_monthly_usd:
        return
    _, spent = ledger.used_usd(conn, urlsplit(settings.anthropic_base_url or "").hostname or ENDPOINT, "")
    waiting = conn.execute(
        "select count(*) from analysis.classification_queue where classifier = 'claude' and state = 'budget_deferred'"
    ).fetchall()[0][0]
    share = spent / settings.ai_monthly_usd
    if share < settings.alerts_ai_budget_share and not waiting:
        return
    is_spent = bool(waiting) or share >= 1
    title = f"Claude has used {share:.0%} of the month's {settings.ai_monthly_usd:.2f} USD"
    if waiting:
        title += f"; {waiting} requests were refused and wait"
    yield Trouble("ai_budget", "month", "error" if is_spent else "warning", title, value=share)


def _backups(conn: psycopg.Connection, settings: Settings) -> Iterable[Trouble]:
    for subject, title in configured.faults(settings, data_source.account_since(conn)).items():
        detail = "`b2chat backup` makes one, `b2chat drill` tries it out; docs/backup.md"
        yield Trouble("backup_too_old", subject, "error", title, detail)


def _kpis(conn: psycopg.Connection) -> Look:
    """What marts.kpi_alarms says; nothing where dbt has not made it yet."""
    if not connection.has_relation(conn, "marts.kpi_alarms"):
        return Look()
    rows = conn.execute(
        "select kind, metric, metric_label_en, unit, local_date::text, hour_label, value, expected_low, expected_high "
        "from marts.kpi_alarms"
    ).fetchall()
    found: list[Trouble] = []
    for kind, metric, label, unit, day, hour, value, low, high in rows:
        when = f"{day} {hour}:00" if hour else day
        usual = f"goal {_shown(low, unit)}" if hour is None else f"usual {_shown(low, unit)} to {_shown(high, unit)}"
        title = f"{label}, {when}: {_shown(value, unit)} ({usual})"
        found.append(Trouble(kind, metric, "warning", title, value=value))
    return Look(found, frozenset({"sla_below_goal", "kpi_out_of_band"}))


def _shown(value: float, unit: str) -> str:
    return f"{value:.1%}" if unit == "share" else f"{value:.0f} s" if unit == "seconds" else f"{value:,.0f}"
