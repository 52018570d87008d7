"""A report, or an analysis, as four columns: `Section,Metric,Value,Unit`. Short enough to read from top to bottom."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from dagster_project.exports.formats.format import SectionRow
from dagster_project.exports.i18n.catalogue import group
from dagster_project.exports.i18n.language import Language, place_of
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.breakdowns import Member, Share
from dagster_project.exports.report.data.calls import Calls
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.data.rooms import Rooms
from dagster_project.exports.report.data.times import BUCKETS
from dagster_project.exports.report.phrases import classified_by, kpi_name, population
from dagster_project.exports.report.view.calls import STEPS, name_of
from dagster_project.exports.tables.analysis import analysis_notes
from dagster_project.warehouse import data_source


def of_report(data: ReportData, language: Language) -> Iterator[SectionRow]:
    """The rows of a report: what it is about, then each topic."""
    words = Wording(language)
    unit = _Units(language)
    about = words.text("section.notes")
    if data.is_demo:
        yield about, words.text("demo").capitalize(), words.text("demo.value"), ""
    yield about, words.text("period"), f"{data.period.start} – {data.period.end}", ""
    yield about, words.text("filter"), words.text(f"filter.{data.filter.scope}", name=data.filter.name), ""
    through = data.freshness.data_through
    shown = _plain(through.astimezone(ZoneInfo(data.timezone))) if through else None
    yield about, words.text("data_through"), shown, ""
    yield about, words.text("timezone"), data.timezone, ""
    if data.direction:
        yield about, words.text("population"), population(data, words), ""
    for kpi in (*data.summary, *data.service):
        yield words.text("section.summary"), kpi_name(kpi, data, words), kpi.value, unit(kpi.unit)
    for times in data.response_times:
        name = f"{words.text(f'metric.{times.metric}')}, {words.text(f'clock.{times.clock}').lower()}"
        section = words.text("section.times")
        yield section, f"{name}: {words.text('column.count')}", times.count, unit("chats")
        for figure in ("mean", "p50", "p90", "p95", "p99"):
            label = words.text(f"column.{figure}").lower()
            yield section, f"{name}: {label}", getattr(times, f"{figure}_seconds"), unit("seconds")
        for bucket, count in zip(BUCKETS, times.buckets, strict=True):
            yield section, f"{name}: {words.text(f'bucket.{bucket}')}", count, unit("chats")
    for sla in data.sla:
        name = f"{words.text(f'metric.{sla.metric}')}, {words.text(f'clock.{sla.clock}').lower()}"
        yield words.text("section.sla"), name, sla.rate, unit("share")
    yield from _breakdown(words, unit, "agent", data.agents)
    yield from _breakdown(words, unit, "department", data.departments)
    yield from _breakdown(words, unit, "channel", data.channels)
    yield from _insights(words, unit, data)
    for night in data.backlog:
        yield words.text("operations.backlog"), words.text("on_day", day=night.day), night.open_count, unit("chats")
    if data.rooms:
        yield from _rooms(words, unit, data.rooms)
    if data.calls:
        yield from _calls(words, unit, data.calls)


def of_analysis(conn: psycopg.Connection, analysis_id: str, language: Language) -> Iterator[SectionRow]:
    """The rows of an analysis: the KPIs of all its chats together; those of each agent are in the long form."""
    words = Wording(language)
    unit = _Units(language)
    if data_source.is_demo(conn):
        yield words.text("section.notes"), words.text("demo").capitalize(), words.text("demo.value"), ""
    for name, value in analysis_notes(conn, analysis_id).items():
        yield words.text("section.notes"), name, _plain(value), ""
    rows = conn.execute(
        sql.SQL("""
            select metric_type, metric_name, member, value, unit, {badge}
            from marts.analysis_kpis
            where analysis_id = %s and scope = 'all'
            order by array_position(%s, metric_type), metric_name, lpad(member, 20, '0')
        """).format(badge=sql.Identifier(f"classified_by_{language}")),
        [analysis_id, list(group("analysis_section"))],
    )
    for metric_type, metric, member, value, unit_name, badge in rows:
        section = words.text(f"analysis_section.{metric_type}") + (f" ({badge})" if badge else "")
        yield section, _metric(words, metric, member), value, unit(unit_name)


def _metric(words: Wording, metric: str, member: str | None) -> str:
    """The name of an analysis' metric, and of the member where it is one's; as it is stored where it has no other."""
    for time in group("analysis_time"):
        for figure in ("average", "p50", "p90", "p95", "p99"):
            if metric == f"{time}_{figure}":
                measure = words.text(f"column.{'mean' if figure == 'average' else figure}").lower()
                return f"{words.text(f'analysis_time.{time}')}: {measure}"
    if metric.startswith("sla_") and metric.endswith("_rate"):
        of, business, _ = metric.removeprefix("sla_").removesuffix("_rate").partition("_business")
        name = f"SLA: {words.text(f'metric.{of}').lower()}"
        return f"{name}, {words.text('clock.business').lower()}" if business else name
    shown = words.label("analysis_metric", metric)
    of = metric.removesuffix("_share")
    return shown if member is None else f"{shown}: {words.label(of, member)}"


def _plain(value: Any) -> str:
    """A value as programs write it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class _Units:
    """Units in a language; times are in seconds."""

    def __init__(self, language: Language) -> None:
        self._place, self._units = place_of(language), group("csv_unit") | group("section_unit")

    def __call__(self, unit: str) -> str:
        return self._units[unit][self._place]


def _breakdown(words: Wording, unit: _Units, kind: str, members: Sequence[Member]) -> Iterator[SectionRow]:
    for member in members:
        name = words.label("channel", member.id) if kind == "channel" else member.name
        if kind == "department" and member.id == "none":
            name = words.text("department.none")
        section = f"{words.text(f'column.{kind}')}: {name}"
        yield section, words.text("kpi.chats_created"), member.chat_count, unit("chats")
        yield section, words.text("kpi.first_response_p50"), member.first_response_p50_seconds, unit("seconds")
        yield section, words.text("kpi.first_response_p90"), member.first_response_p90_seconds, unit("seconds")
        yield section, words.text("kpi.resolution_p50"), member.resolution_p50_seconds, unit("seconds")
        yield section, words.text("kpi.sla_overall_rate"), member.sla_rate, unit("share")


def _rooms(words: Wording, unit: _Units, rooms: Rooms) -> Iterator[SectionRow]:
    section, everything = words.text("section.escalations"), rooms.all_escalations
    if everything:
        yield section, words.text("rooms.head.created"), everything.created_count, unit("escalations")
        yield section, words.text("rooms.head.open"), everything.end_open_count, unit("escalations")
        yield section, words.text("rooms.escalation_rate"), everything.escalation_rate, unit("share")
        rate = everything.first_level_resolution_rate
        yield section, words.text("rooms.first_level_resolution_rate"), rate, unit("share")
    for one in (*([everything] if everything else []), *rooms.of_scope("level")):
        of = "" if one is everything else f"{words.text('rooms.head.level')} {words.label('level', one.scope_id)}: "
        yield section, of + words.text("rooms.handover_p50"), one.p50_handover_seconds, unit("seconds")
        yield section, of + words.text("rooms.handover_p90"), one.p90_handover_seconds, unit("seconds")
    for robot in rooms.each_robot:
        section = f"{words.text('rooms.head.robot')}: {robot.robot_id}"
        yield section, words.text("head.chats"), robot.room_count, unit("chats")
        yield section, words.text("rooms.containment_rate"), robot.containment_rate, unit("share")
        yield section, words.text("rooms.durable_rate"), robot.durable_rate, unit("share")
        yield section, words.text("rooms.handover_wait_p90"), robot.p90_handover_wait_seconds, unit("seconds")
        yield section, words.text("rooms.success_rate"), robot.success_rate, unit("share")
    for month in rooms.overdue_months:
        yield words.text("rooms.overdue"), f"{month.table_name} {month.month_start:%Y-%m}", month.row_count, ""


def _calls(words: Wording, unit: _Units, calls: Calls) -> Iterator[SectionRow]:
    section = words.text("section.calls")
    for one in (*calls.of_scope("all"), *calls.of_scope("pool")):
        name = name_of(one.scope, one.scope_id, one.scope_name, words)
        of = "" if one.scope == "all" else f"{words.text('calls.head.pool')} {name}: "
        yield section, of + words.text("calls.head.calls"), one.call_count, unit("calls")
        yield section, of + words.text("calls.answer_rate"), one.answer_rate, unit("share")
        service_level = words.text("calls.service_level", target=one.target_seconds)
        yield section, of + service_level, one.service_level, unit("share")
        yield section, of + words.text("calls.abandon_rate"), one.abandon_rate, unit("share")
        yield section, of + words.text("calls.answer_p90"), one.p90_answer_seconds, unit("seconds")
    if covered := calls.all_covered:
        section = words.text("section.coverage")
        yield section, words.text("calls.covered"), covered.covered_share, unit("share")
        yield section, words.text("calls.uncovered_calls"), covered.uncovered_call_share, unit("share")
        yield section, words.text("calls.uncovered_pageviews"), covered.uncovered_pageview_share, unit("share")
    if agents := calls.all_agents:
        section = words.text("section.staffing")
        yield section, words.text("calls.occupancy"), agents.occupancy_share, unit("share")
        yield section, words.text("calls.offers_accepted"), agents.offer_accept_rate, unit("share")
    if visits := calls.all_visits:
        section = words.text("section.funnel")
        for step in STEPS:
            yield section, words.text(f"calls.step.{step}"), getattr(visits, f"{step}_visit_count"), unit("visits")
        yield section, words.text("calls.overall_rate"), visits.overall_rate, unit("share")


def _insights(words: Wording, unit: _Units, data: ReportData) -> Iterator[SectionRow]:
    groups: tuple[tuple[str, str, tuple[Share, ...]], ...] = (
        ("intents", "intent", data.insights.intents),
        ("journeys", "journey", data.insights.journeys),
        ("sentiments", "sentiment", data.insights.sentiments),
    )
    for title, name, shares in groups:
        section = f"{words.text(f'insights.{title}')} ({classified_by(data, words)})"
        for share in shares:
            yield section, words.label(name, share.label), share.share, unit("share")
