"""A report's numbers, read from the marts: one statement a section, bounded by the period, none a row at a time."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.sql import SQL

from dagster_project.exports.gather_members import PERIODS_CATEGORIES, insights, members
from dagster_project.exports.marts import IN_SCOPE, Values, rows
from dagster_project.exports.report import (
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
from dagster_project.warehouse import data_source
from dagster_project.warehouse.connection import has_relation
from dagster_project.warehouse.directory import NOTHING_YET

HISTORY = 12  # weeks or months of the long trend, the report's own among them


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
            *_volumes(connection, values | {"both_whole": both_whole}),
            *_speeds(response_times),
            *_promises(sla),
            *_piles(backlog),
        ),
        heatmap=_heatmap(connection, values),
        slot_min_chat_count=slot_min_chat_count(connection),
        response_times=response_times,
        days=_trend(connection, values | {"step": "day", "first": period.start}),
        history=_trend(connection, values | {"step": period.kind, "first": _history_start(period)}),
        sla=sla,
        agents=members(connection, values, "agent"),
        departments=members(connection, values, "department"),
        channels=members(connection, values, "provider"),
        insights=insights(connection, SQL(PERIODS_CATEGORIES).format(in_scope=SQL(IN_SCOPE)), values),
        traffic=_traffic(connection, values),
        backlog=backlog,
        coverage=coverage(connection, period),
        is_demo=data_source.is_demo(connection),
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


def _volumes(connection: psycopg.Connection, values: Values) -> list[Kpi]:
    """Sums of days."""
    return rows(
        connection,
        Kpi,
        """
        with days as ({days})

        select
            metrics.metric,
            metrics.unit,
            metrics.better,
            sum(days.value) filter (where days.date >= %(start)s) as value,
            count(*) filter (where days.date >= %(start)s) as count,
            sum(days.value) filter (where days.date < %(start)s) as previous,
            %(both_whole)s as is_comparable
        from (
            values
            (1, 'chats_created', 'chats', null),
            (2, 'chats_closed', 'chats', null),
            (3, 'messages_in', 'messages', null),
            (4, 'messages_out', 'messages', null)
        ) as metrics (number, metric, unit, better)
        left join days on days.metric = metrics.metric
        group by metrics.number, metrics.metric, metrics.unit, metrics.better
        order by metrics.number
        """,
        values | {"first": values["previous_start"]},
    )


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
        if promise.metric == "overall"
    ]


def _piles(backlog: tuple[Backlog, ...]) -> list[Kpi]:
    """The backlog at the last midnight that is known, beside that of the midnight that began the period."""
    known = [midnight.open_count for midnight in backlog if midnight.open_count is not None]
    value, previous = (known[-1], backlog[0].open_count) if known else (None, None)
    return [Kpi("backlog_open", "chats", "lower", value, len(known), previous)]


def _heatmap(connection: psycopg.Connection, values: Values) -> tuple[HeatmapCell, ...]:
    """Always 168 cells, Monday first. Over the chats of the period, as the mart of weeks has them for one week."""
    return tuple(
        rows(
            connection,
            HeatmapCell,
            """
            select
                days.day_of_week,
                hours.hour,
                count(chats.first_response_seconds) as chat_count,
                avg(chats.first_response_seconds)::double precision as mean_seconds,
                percentile_cont(0.5) within group (order by chats.first_response_seconds) as p50_seconds
            from generate_series(0, 6) as days (day_of_week)
            cross join generate_series(0, 23) as hours (hour)
            left join marts.chat_response_times as chats
                on chats.created_day_of_week = days.day_of_week
                and chats.created_local_hour = hours.hour
                and chats.created_local_date between %(start)s and %(end)s
                and not chats.is_deleted
                -- A first response is the agent's who gave it.
                and case when %(scope)s = 'agent' then chats.first_response_agent_id = %(scope_id)s else {in_scope} end
            group by days.day_of_week, hours.hour
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
            left join {times} as times
                on times.period_start = %(start)s and times.scope = %(scope)s and times.scope_id = %(scope_id)s
                and times.metric = metrics.metric and times.clock = clocks.clock
            left join {times} as before
                on before.period_start = %(previous_start)s and before.scope = %(scope)s
                and before.scope_id = %(scope_id)s
                and before.metric = metrics.metric and before.clock = clocks.clock
            order by metrics.number, clocks.number
            """,
            values,
        )
    )


def _trend(connection: psycopg.Connection, values: Values) -> tuple[TrendPoint, ...]:
    """Days, weeks or months up to the period's end, those before the first chat left out; `step` says which."""
    return tuple(
        rows(
            connection,
            TrendPoint,
            """
            with chats as (
                select date_trunc(%(step)s, days.date)::date as start, sum(days.value)::bigint as chat_count
                from ({days}) as days
                where days.metric = 'chats_created'
                group by 1
            ),

            sla as (
                select
                    date_trunc(%(step)s, date)::date as start,
                    sum(met_count) as met_count,
                    sum(met_count + breached_count) as judged_count
                from marts.sla_daily
                where date between %(first)s and %(end)s
                    and scope = %(scope)s and scope_id = %(scope_id)s and metric = 'overall' and clock = 'wall'
                group by 1
            )

            select
                steps.start::date as start,
                chats.chat_count,
                coalesce(times.count, 0) as first_response_count,
                times.p50_seconds as first_response_p50_seconds,
                times.p90_seconds as first_response_p90_seconds,
                coalesce(sla.judged_count, 0)::bigint as sla_judged_count,
                sla.met_count::double precision / nullif(sla.judged_count, 0) as sla_rate
            from generate_series(
                %(first)s::timestamp, %(end)s::timestamp, ('1 ' || %(step)s)::interval
            ) as steps (start)
            left join chats on chats.start = steps.start::date
            left join {stepped_times} as times
                on times.period_start = steps.start::date and times.scope = %(scope)s
                and times.scope_id = %(scope_id)s
                and times.metric = 'first_response' and times.clock = 'wall'
            left join sla on sla.start = steps.start::date
            where %(step)s = 'day' or steps.start::date >= (
                select date_trunc(%(step)s, min(created_local_date))::date from marts.chat_response_times
            )
            order by steps.start
            """,
            values,
        )
    )


def _sla(connection: psycopg.Connection, values: Values) -> tuple[Sla, ...]:
    return tuple(
        rows(
            connection,
            Sla,
            """
            select
                metrics.metric,
                clocks.clock,
                targets.target_seconds,
                coalesce(max(days.goal) filter (where {now}), targets.goal)::double precision as goal,
                coalesce(sum(days.met_count) filter (where {now}), 0)::bigint as met_count,
                coalesce(sum(days.breached_count) filter (where {now}), 0)::bigint as breached_count,
                coalesce(sum(days.pending_count) filter (where {now}), 0)::bigint as pending_count,
                sum(days.met_count) filter (where {now})::double precision
                / nullif(sum(days.met_count + days.breached_count) filter (where {now}), 0) as rate,
                sum(days.met_count) filter (where not {now})::double precision
                / nullif(sum(days.met_count + days.breached_count) filter (where not {now}), 0) as previous_rate
            from (
                values (1, 'overall'), (2, 'pickup'), (3, 'first_response'), (4, 'avg_reply'), (5, 'resolution')
            ) as metrics (number, metric)
            cross join (values (1, 'wall'), (2, 'business')) as clocks (number, clock)
            left join marts.sla_daily as days
                on days.date between %(previous_start)s and %(end)s
                and days.scope = %(scope)s and days.scope_id = %(scope_id)s
                and days.metric = metrics.metric and days.clock = clocks.clock
            left join lateral (
                select target_seconds, goal
                from intermediate.sla_targets
                where metric = metrics.metric and provider is null and priority is null and is_enabled
                    and coalesce(valid_from, '-infinity') <= %(end)s and coalesce(valid_to, 'infinity') >= %(end)s
                order by valid_from desc nulls last
                limit 1
            ) as targets on true
            group by
                metrics.number, metrics.metric, clocks.number, clocks.clock, targets.target_seconds, targets.goal
            order by clocks.number, metrics.number
            """,
            values,
            now=SQL("days.date >= %(start)s"),
        )
    )


def _traffic(connection: psycopg.Connection, values: Values) -> tuple[TrafficCell, ...]:
    """Always 168 cells, Monday first; none for a direction, by which messages are not counted."""
    query = """
        select day_of_week, hour, chat_count, message_count
        from {traffic}
        where {of_period} and scope = %(scope)s and scope_id = %(scope_id)s
        order by (day_of_week + 6) %% 7, hour
    """
    if values["kind"] == "week":
        traffic, of_period = "marts.conversation_traffic_heatmap", "week_start = %(start)s"
    else:
        traffic, of_period = "marts.conversation_traffic_periods", "period = 'month' and period_start = %(start)s"
    return tuple(rows(connection, TrafficCell, query, values, traffic=SQL(traffic), of_period=SQL(of_period)))


def _backlog(connection: psycopg.Connection, values: Values) -> tuple[Backlog, ...]:
    """The midnights from the one that begins the period to the one that ends it; a scope's missing row is a 0."""
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
