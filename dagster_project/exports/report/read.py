"""A report's numbers, read from the marts: one statement a section, bounded by the period, none a row at a time."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.sql import SQL

from dagster_project.exports.queries import IN_SCOPE, Values, rows
from dagster_project.exports.report.data import (
    DIRECTIONS,
    Backlog,
    Coverage,
    Filter,
    Freshness,
    HeatmapCell,
    Kpi,
    NoReport,
    Period,
    QualityRule,
    ReportData,
    ResponseTimes,
    Scope,
    Sla,
    TrafficCell,
    TrendPoint,
)
from dagster_project.exports.report.read_breakdowns import PERIODS_CATEGORIES, insights, intents, members
from dagster_project.exports.report.read_service import open_breaches, populations, service, slots, volumes
from dagster_project.warehouse import data_source, sla_targets
from dagster_project.warehouse.connection import has_relation
from dagster_project.warehouse.directory import NOTHING_YET

HISTORY = 13  # weeks or months of the long trend, the report's own among them


def gather(
    connection: psycopg.Connection,
    period: Period,
    *,
    scope: Scope = "all",
    scope_id: str = "all",
    timezone: str,
) -> ReportData:
    """Read a report from the marts. A period without chats is a report too, one of "no data".

    Args:
        period: `Period.week(monday)` or `Period.month(day)`.
        scope: whose chats: all, or those of an agent, department, provider (channel) or direction.
        scope_id: key of the agent or department, the provider, or one of `DIRECTIONS`.
        timezone: the account's zone, an IANA name.

    Raises:
        NoReport: the marts are not built, the period lies in the future, or nobody has that key.
    """
    if not has_relation(connection, "marts.kpi_daily"):
        raise NoReport(NOTHING_YET)
    if period.start > datetime.now(ZoneInfo(timezone)).date():
        raise NoReport(f"the {period.kind} of {period.start} has not begun yet")
    values = {
        "start": period.start,
        "end": period.end,
        "previous_start": period.previous_start,
        "previous_end": period.previous_end,
        "kind": period.kind,
        "scope": scope,
        "scope_id": scope_id,
        # A direction is one way in which all chats of the account began; of any other scope, customers' waits are told.
        "members_of": "all" if scope == "direction" else scope,
        "member_id": "all" if scope == "direction" else scope_id,
        "direction": scope_id if scope == "direction" else "incoming",
    }
    name = _name(connection, scope, scope_id)
    known = freshness(connection)
    both_whole = _ended(known, period, timezone) and _began_before(known, period.previous_start)
    response_times = _response_times(connection, values)
    sla = _sla(connection, values)
    backlog = _backlog(connection, values)
    return ReportData(
        period=period,
        filter=Filter(scope, scope_id, name),
        timezone=timezone,
        freshness=known,
        is_complete=_ended(known, period, timezone),
        is_previous_complete=_began_before(known, period.previous_start),
        summary=(
            *volumes(connection, values | {"both_whole": both_whole}),
            *_speeds(response_times),
            *_promises(sla),
            *_piles(backlog),
        ),
        heatmap=_heatmap(connection, values),
        response_times=response_times,
        days=_trend(connection, values | {"step": "day", "first": period.start}, known, timezone),
        history=_trend(connection, values | {"step": period.kind, "first": _history_start(period)}, known, timezone),
        sla=sla,
        agents=members(connection, values, "agent"),
        departments=members(connection, values, "department"),
        channels=members(connection, values, "provider"),
        insights=insights(connection, SQL(PERIODS_CATEGORIES).format(in_scope=SQL(IN_SCOPE)), values),
        traffic=_traffic(connection, values),
        backlog=backlog,
        coverage=coverage(connection, period),
        is_demo=data_source.is_demo(connection),
        others=populations(connection, values | {"is_previous_whole": _began_before(known, period.previous_start)}),
        slots=slots(connection, values),
        slot_min_chat_count=slot_min_chat_count(connection),
        open_breaches=open_breaches(connection, values),
        open_breached_count=sla[0].open_breached_count,
        service=service(connection, values | {"both_whole": both_whole}),
        intents=intents(connection, values),
        has_default_targets=sla_targets.are_defaults(connection),
    )


def _history_start(period: Period) -> date:
    if period.kind == "week":
        return period.start - timedelta(weeks=HISTORY - 1)
    months = period.start.year * 12 + period.start.month - 1 - (HISTORY - 1)
    return date(months // 12, months % 12 + 1, 1)


def _name(connection: psycopg.Connection, scope: Scope, scope_id: str) -> str:
    """What people call the filter's agent or department."""
    found: tuple[Any, ...] | None = (scope_id,)
    if scope in ("agent", "department"):
        table = SQL("core.agents" if scope == "agent" else "core.departments")
        query = SQL("select coalesce(name, id) from {} where id = %s").format(table)
        found = connection.execute(query, [scope_id]).fetchone()
    elif scope == "provider":
        found = connection.execute(
            "select provider from marts.chat_response_times where provider = %s limit 1", [scope_id]
        ).fetchone()
    elif scope == "direction" and scope_id not in DIRECTIONS:
        found = None
    if found is None:
        raise NoReport(f"no {scope} {scope_id!r}")
    return str(found[0])


def freshness(connection: psycopg.Connection) -> Freshness:
    """How far the marts go."""
    [known] = rows(
        connection,
        Freshness,
        """
        select freshness.data_through, freshness.refreshed_at, chats.first_date, chats.last_date
        from (
            select min(created_local_date) as first_date, max(created_local_date) as last_date
            from marts.chat_response_times
        ) as chats
        left join marts.data_freshness as freshness on freshness.mart = 'chat_response_times'
        """,
        {},
    )
    return known


def slot_min_chat_count(connection: psycopg.Connection) -> int | None:
    """How many chats a cell needs to be called the fastest or slowest slot; None where no chat was ever answered."""
    row = connection.execute("select slot_min_chat_count from marts.heatmap_weeks limit 1").fetchone()
    return row[0] if row else None


def _ended(freshness: Freshness, period: Period, timezone: str) -> bool:
    """Whether the data goes to the end of the period."""
    through = freshness.data_through
    return through is not None and through.astimezone(ZoneInfo(timezone)).date() > period.end


def _began_before(freshness: Freshness, day: date) -> bool:
    return freshness.first_date is not None and freshness.first_date <= day


def _speeds(response_times: tuple[ResponseTimes, ...]) -> list[Kpi]:
    """The medians and p90 that the summary shows, by wall clock."""
    by_metric = {times.metric: times for times in response_times if times.clock == "wall"}
    kpis = []
    for metric, percentile in (
        ("pickup", 90),
        ("first_response", 50),
        ("first_response", 90),
        ("reply", 50),
        ("resolution", 50),
    ):
        times = by_metric[metric]
        value, previous = (getattr(times, f"{when}p{percentile}_seconds") for when in ("", "previous_"))
        kpis.append(Kpi(f"{metric}_p{percentile}", "seconds", "lower", value, times.count, previous))
    return kpis


def _promises(sla: tuple[Sla, ...]) -> list[Kpi]:
    """The shares that the summary shows: all targets by both clocks, and the first response by wall clock."""
    return [
        Kpi(
            f"sla_{promise.metric}_rate" if promise.clock == "wall" else f"sla_{promise.metric}_business_rate",
            "share",
            "higher",
            promise.rate,
            promise.met_count + promise.breached_count,
            promise.previous_rate,
        )
        for promise in sla
        if promise.metric == "overall" or (promise.metric == "first_response" and promise.clock == "wall")
    ]


def _piles(backlog: tuple[Backlog, ...]) -> list[Kpi]:
    """The backlog at the last midnight that is known, beside that of the midnight that began the period."""
    known = [midnight.open_count for midnight in backlog if midnight.open_count is not None]
    value, previous = (known[-1], backlog[0].open_count) if known else (None, None)
    return [Kpi("backlog_open", "chats", "lower", value, value or 0, previous)]


def _heatmap(connection: psycopg.Connection, values: Values) -> tuple[HeatmapCell, ...]:
    """Always 168 cells, Monday first."""
    return tuple(
        rows(
            connection,
            HeatmapCell,
            """
            select
                days.day_of_week,
                hours.hour,
                coalesce(slots.chat_count, 0) as chat_count,
                slots.mean_first_response_seconds as mean_seconds,
                slots.p50_first_response_seconds as p50_seconds,
                coalesce(slots.has_enough_chats, false) as has_enough_chats
            from generate_series(0, 6) as days (day_of_week)
            cross join generate_series(0, 23) as hours (hour)
            left join marts.slots_by_direction as slots
                on slots.period = %(kind)s and slots.period_start = %(start)s and {of_scope}
                and slots.day_of_week = days.day_of_week and slots.hour = hours.hour
            order by (days.day_of_week + 6) %% 7, hours.hour
            """,
            values,
        )
    )


def _response_times(connection: psycopg.Connection, values: Values) -> tuple[ResponseTimes, ...]:
    """Every metric by both clocks; a row of zeros where there is none."""
    return tuple(
        rows(
            connection,
            ResponseTimes,
            """
            with known as materialized (
                select * from marts.response_times_by_direction
                where period = %(kind)s and period_start between %(previous_start)s and %(start)s and {of_scope}
            )

            select
                metrics.metric,
                clocks.clock,
                coalesce(times.count, 0) as count,
                times.mean_seconds,
                times.p50_seconds,
                times.p90_seconds,
                times.p95_seconds,
                times.p99_seconds,
                coalesce(times.under_1m_count, 0) as under_1m_count,
                coalesce(times.from_1m_to_3m_count, 0) as from_1m_to_3m_count,
                coalesce(times.from_3m_to_5m_count, 0) as from_3m_to_5m_count,
                coalesce(times.from_5m_to_10m_count, 0) as from_5m_to_10m_count,
                coalesce(times.over_10m_count, 0) as over_10m_count,
                coalesce(before.count, 0) as previous_count,
                before.p50_seconds as previous_p50_seconds,
                before.p90_seconds as previous_p90_seconds
            from (
                values (1, 'pickup'), (2, 'first_response'), (3, 'reply'), (4, 'handling'), (5, 'resolution')
            ) as metrics (number, metric)
            cross join (values (1, 'wall'), (2, 'business')) as clocks (number, clock)
            left join known as times
                on times.period_start = %(start)s and times.metric = metrics.metric and times.clock = clocks.clock
            left join known as before
                on before.period_start = %(previous_start)s
                and before.metric = metrics.metric and before.clock = clocks.clock
            order by metrics.number, clocks.number
            """,
            values,
        )
    )


def _trend(connection: psycopg.Connection, values: Values, known: Freshness, timezone: str) -> tuple[TrendPoint, ...]:
    """Days, weeks or months up to the period's end, those before the first chat left out; `step` says which."""
    through = known.data_through.astimezone(ZoneInfo(timezone)).date() if known.data_through else None
    return tuple(
        rows(
            connection,
            TrendPoint,
            """
            with slots as (
                select period_start, sum(created_chat_count)::integer as chat_count
                from marts.slots_by_direction
                where period = %(step)s and period_start between %(first)s and %(end)s and {of_scope}
                group by period_start
            ),

            times as (
                select period_start, count, p50_seconds, p90_seconds
                from marts.response_times_by_direction
                where period = %(step)s and period_start between %(first)s and %(end)s and {of_scope}
                    and metric = 'first_response' and clock = 'wall'
            ),

            sla as (
                select period_start, judged_count, rate
                from marts.sla_by_direction
                where period = %(step)s and period_start between %(first)s and %(end)s and {of_scope}
                    and metric = 'overall' and clock = 'wall'
            )

            select
                steps.start::date as start,
                slots.chat_count,
                coalesce(times.count, 0) as first_response_count,
                times.p50_seconds as first_response_p50_seconds,
                times.p90_seconds as first_response_p90_seconds,
                coalesce(sla.judged_count, 0) as sla_judged_count,
                sla.rate as sla_rate,
                coalesce(
                    steps.start::date >= %(first_date)s
                    and (steps.start + ('1 ' || %(step)s)::interval)::date <= %(through)s,
                    false
                ) as is_whole
            from generate_series(
                %(first)s::timestamp, %(end)s::timestamp, ('1 ' || %(step)s)::interval
            ) as steps (start)
            left join slots on slots.period_start = steps.start::date
            left join times on times.period_start = steps.start::date
            left join sla on sla.period_start = steps.start::date
            where %(step)s = 'day' or steps.start::date >= date_trunc(%(step)s, %(first_date)s::timestamp)::date
            order by steps.start
            """,
            values | {"first_date": known.first_date, "through": through},
        )
    )


def _sla(connection: psycopg.Connection, values: Values) -> tuple[Sla, ...]:
    return tuple(
        rows(
            connection,
            Sla,
            """
            with known as materialized (
                select * from marts.sla_by_direction
                where period = %(kind)s and period_start between %(previous_start)s and %(start)s and {of_scope}
            )

            select
                metrics.metric,
                clocks.clock,
                targets.target_seconds,
                coalesce(sla.goal, targets.goal)::double precision as goal,
                coalesce(sla.met_count, 0) as met_count,
                coalesce(sla.breached_count, 0) as breached_count,
                coalesce(sla.pending_count, 0) as pending_count,
                sla.rate,
                before.rate as previous_rate,
                coalesce(sla.open_breached_count, 0) as open_breached_count
            from (
                values (1, 'overall'), (2, 'pickup'), (3, 'first_response'), (4, 'avg_reply'), (5, 'resolution')
            ) as metrics (number, metric)
            cross join (values (1, 'wall'), (2, 'business')) as clocks (number, clock)
            left join known as sla
                on sla.period_start = %(start)s and sla.metric = metrics.metric and sla.clock = clocks.clock
            left join known as before
                on before.period_start = %(previous_start)s
                and before.metric = metrics.metric and before.clock = clocks.clock
            left join lateral (
                select target_seconds, goal
                from intermediate.sla_targets
                where metric = metrics.metric and provider is null and priority is null and is_enabled
                    and coalesce(valid_from, '-infinity') <= %(end)s and coalesce(valid_to, 'infinity') >= %(end)s
                order by valid_from desc nulls last
                limit 1
            ) as targets on true
            order by clocks.number, metrics.number
            """,
            values,
        )
    )


def _traffic(connection: psycopg.Connection, values: Values) -> tuple[TrafficCell, ...]:
    """Always 168 cells, Monday first. Messages, of all chats, are not counted by direction."""
    if values["kind"] == "week":
        traffic, of_period = "marts.conversation_traffic_heatmap", "week_start = %(start)s"
    else:
        traffic, of_period = "marts.conversation_traffic_periods", "period = 'month' and period_start = %(start)s"
    return tuple(
        rows(
            connection,
            TrafficCell,
            """
            with messages as (
                select day_of_week, hour, message_count from {traffic}
                where {of_period} and scope = %(scope)s and scope_id = %(scope_id)s
            )

            select
                days.day_of_week,
                hours.hour,
                coalesce(slots.created_chat_count, 0) as chat_count,
                messages.message_count
            from generate_series(0, 6) as days (day_of_week)
            cross join generate_series(0, 23) as hours (hour)
            left join marts.slots_by_direction as slots
                on slots.period = %(kind)s and slots.period_start = %(start)s and {of_scope}
                and slots.day_of_week = days.day_of_week and slots.hour = hours.hour
            left join messages on messages.day_of_week = days.day_of_week and messages.hour = hours.hour
            order by (days.day_of_week + 6) %% 7, hours.hour
            """,
            values,
            traffic=SQL(traffic),
            of_period=SQL(of_period),
        )
    )


def _backlog(connection: psycopg.Connection, values: Values) -> tuple[Backlog, ...]:
    """The midnights from the one that begins the period to the one that ends it; a scope's missing row is a 0.

    Nothing is known of the midnight before the first chat: data begins in the course of that day.
    """
    return tuple(
        rows(
            connection,
            Backlog,
            """
            with midnights as (
                select * from marts.backlog_daily
                where local_date between %(start)s and %(end)s::date + 1
                    and scope = %(scope)s and scope_id = %(scope_id)s
            ),

            known as (
                select local_date from marts.backlog_daily
                where local_date between %(start)s and %(end)s::date + 1
                    and scope = 'all' and state = 'open' and %(scope)s <> 'direction'
                    and local_date > (select min(local_date) from marts.backlog_daily)
            )

            select
                days.day::date as day,
                case when known.local_date is not null then coalesce(opened.chat_count, 0) end as open_count,
                case when known.local_date is not null then coalesce(pickup.chat_count, 0) end
                    as waiting_for_pickup_count,
                case when known.local_date is not null then coalesce(answer.chat_count, 0) end
                    as waiting_for_answer_count,
                case when known.local_date is not null then coalesce(
                    opened.from_1d_to_3d_count + opened.from_3d_to_7d_count + opened.over_7d_count, 0
                ) end as over_1d_count,
                case when known.local_date is not null then coalesce(opened.over_7d_count, 0) end as over_7d_count
            from generate_series(%(start)s::timestamp, %(end)s::timestamp + interval '1 day', interval '1 day')
                as days (day)
            left join known on known.local_date = days.day::date
            left join midnights as opened on opened.local_date = days.day::date and opened.state = 'open'
            left join midnights as pickup
                on pickup.local_date = days.day::date and pickup.state = 'waiting_for_pickup'
            left join midnights as answer
                on answer.local_date = days.day::date and answer.state = 'waiting_for_answer'
            order by days.day
            """,
            values,
        )
    )


def coverage(connection: psycopg.Connection, period: Period) -> Coverage:
    """How much was read of a period's days, of the whole account: it does not depend on a filter."""
    values = {"start": period.start, "end": period.end}
    [(days_read_whole, failed_syncs)] = connection.execute(
        """
        select count(*) filter (where is_read_whole and entity_type = 'chats'), coalesce(sum(failures), 0)::integer
        from marts.sync_health
        where day between %(start)s and %(end)s
        """,
        values,
    ).fetchall()
    [(waiting,)] = connection.execute(
        "select coalesce(sum(broken_count), 0)::integer from marts.data_quality where subject like 'quarantine of %'"
    ).fetchall()
    rules = rows(
        connection,
        QualityRule,
        """
        select
            subject,
            rule,
            max(severity) as severity,
            max(rule_label_es) as label_es,
            max(rule_label_en) as label_en,
            sum(broken_count)::bigint as broken_count,
            sum(checked_count)::bigint as checked_count
        from marts.data_quality
        where day between %(start)s and %(end)s and subject = 'chats'
        group by subject, rule
        having sum(broken_count) > 0
        order by sum(broken_count) desc, rule
        """,
        values,
    )
    return Coverage(period.day_count, days_read_whole, failed_syncs, waiting, tuple(rules))
