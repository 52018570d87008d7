"""Of a report: how many chats began in which way, what became of them, which slots and chats to look at."""

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.sql import SQL

from dagster_project.exports.queries import Values, rows
from dagster_project.exports.report.data import HeatmapCell, Kpi, Population, Slot, Waited

WORST_SLOTS = 3
CHATS_OF_A_SLOT = 5
OPEN_BREACHES = 8


def volumes(connection: psycopg.Connection, values: Values) -> list[Kpi]:
    """How many chats and messages; messages of all chats of the scope, none for a direction."""
    return _kpis(
        connection,
        values,
        """
        (1, 'chats_created', 'chats', null, now.chat_count, now.chat_count, before.chat_count),
        (2, 'unanswered', 'chats', null, now.unanswered_chat_count, now.chat_count, before.unanswered_chat_count),
        (3, 'chats_closed', 'chats', null, now.closed_chat_count, now.closed_chat_count, before.closed_chat_count)
        """,
    ) + rows(
        connection,
        Kpi,
        """
        select
            metrics.metric,
            'messages' as unit,
            null as better,
            sum(days.value) filter (where days.date >= %(start)s) as value,
            coalesce(sum(days.count) filter (where days.date >= %(start)s), 0)::bigint as count,
            sum(days.value) filter (where days.date < %(start)s) as previous,
            %(both_whole)s as is_comparable
        from (values (1, 'messages_in'), (2, 'messages_out')) as metrics (number, metric)
        left join marts.kpi_daily as days
            on days.metric = metrics.metric and days.date between %(previous_start)s and %(end)s
            and days.scope = %(scope)s and days.scope_id = %(scope_id)s
        group by metrics.number, metrics.metric
        order by metrics.number
        """,
        values,
    )


def service(connection: psycopg.Connection, values: Values) -> tuple[Kpi, ...]:
    """What became of the chats. Nothing is compared that one of the periods holds in part, but rates."""
    return tuple(
        _kpis(
            connection,
            values,
            """
            (1, 'first_contact_resolution_rate', 'share', 'higher', now.first_contact_resolution_rate,
             now.first_contact_judged_count, before.first_contact_resolution_rate),
            (2, 'chats_reopened', 'chats', 'lower', now.reopened_count, now.reopened_count, before.reopened_count),
            (3, 'agent_transfers', 'transfers', 'lower', now.agent_transfer_count, now.agent_transfer_count,
             before.agent_transfer_count),
            (4, 'department_transfers', 'transfers', 'lower', now.department_transfer_count,
             now.department_transfer_count, before.department_transfer_count),
            (5, 'survey_response_rate', 'share', 'higher', now.survey_response_rate,
             now.survey_offered_count - now.survey_answering_count, before.survey_response_rate),
            (6, 'bot_chats', 'chats', null, now.bot_chat_count, now.chat_count, before.bot_chat_count),
            (7, 'bot_containment_rate', 'share', 'higher', now.bot_containment_rate,
             now.bot_chat_count - now.bot_with_bot_count, before.bot_containment_rate),
            (8, 'broadcasts_answered', 'chats', null, now.broadcast_answered_count, now.broadcast_count,
             before.broadcast_answered_count)
            """,
        )
    )


def _kpis(connection: psycopg.Connection, values: Values, metrics: str) -> list[Kpi]:
    """Figures of marts.service_by_direction: number, metric, unit, better, value, count, previous."""
    return rows(
        connection,
        Kpi,
        """
        select
            metrics.metric,
            metrics.unit,
            metrics.better,
            metrics.value::double precision as value,
            coalesce(metrics.count, 0) as count,
            metrics.previous::double precision as previous,
            %(both_whole)s or metrics.unit = 'share' as is_comparable
        from (select 1) as one
        left join (
            select * from marts.service_by_direction
            where period = %(kind)s and period_start = %(start)s and {of_scope}
        ) as now on true
        left join (
            select * from marts.service_by_direction
            where period = %(kind)s and period_start = %(previous_start)s and {of_scope}
        ) as before on true
        cross join lateral (values {metrics}) as metrics (number, metric, unit, better, value, count, previous)
        order by metrics.number
        """,
        values,
        metrics=SQL(metrics),
    )


def populations(connection: psycopg.Connection, values: Values) -> tuple[Population, ...]:
    """The chats that the report is not about, by how they began; the most first."""
    return tuple(
        rows(
            connection,
            Population,
            """
            select
                direction,
                coalesce(sum(chat_count) filter (where period_start = %(start)s), 0)::integer as chat_count,
                case when %(is_previous_whole)s then
                    coalesce(sum(chat_count) filter (where period_start = %(previous_start)s), 0)
                end::integer as previous_chat_count
            from marts.service_by_direction
            where period = %(kind)s and period_start in (%(start)s, %(previous_start)s)
                and scope = %(members_of)s and scope_id = %(member_id)s and direction <> %(direction)s
            group by direction
            order by 2 desc, direction
            """,
            values,
        )
    )


def slots(connection: psycopg.Connection, values: Values) -> tuple[Slot, ...]:
    """The slowest slots of those with enough chats, each with its slowest chats."""
    found = rows(
        connection,
        _SlotChat,
        """
        with slowest as (
            select * from marts.slots_by_direction
            where period = %(kind)s and period_start = %(start)s and {of_scope} and slowest_rank <= %(worst)s
        )

        select
            slowest.slowest_rank,
            slowest.day_of_week,
            slowest.hour,
            slowest.chat_count,
            slowest.mean_first_response_seconds as mean_seconds,
            slowest.p50_first_response_seconds as p50_seconds,
            members.*
        from slowest
        cross join lateral (
            select chats.chat_id, chats.agent_name, chats.department_name, chats.created_at,
                   chats.first_response_seconds as seconds
            from marts.chat_response_times as chats
            where chats.created_local_date between %(start)s and %(end)s
                and chats.created_day_of_week = slowest.day_of_week and chats.created_local_hour = slowest.hour
                and chats.first_response_seconds is not null and not chats.is_deleted
                -- A first response is the agent's who gave it.
                and case when %(members_of)s = 'agent' then
                    coalesce(chats.first_response_agent_id, chats.agent_id) = %(member_id)s
                    and chats.direction = %(direction)s
                else {in_scope} end
            order by chats.first_response_seconds desc, chats.chat_id
            limit %(chats_of_a_slot)s
        ) as members
        order by slowest.slowest_rank, members.seconds desc, members.chat_id
        """,
        values | {"worst": WORST_SLOTS, "chats_of_a_slot": CHATS_OF_A_SLOT},
    )
    return tuple(
        Slot(
            HeatmapCell(first.day_of_week, first.hour, first.chat_count, first.mean_seconds, first.p50_seconds),
            tuple(
                Waited(row.chat_id, row.agent_name, row.department_name, row.created_at, row.seconds)
                for row in found
                if row.slowest_rank == first.slowest_rank
            ),
        )
        for first in {row.slowest_rank: row for row in reversed(found)}.values()
    )[::-1]


def open_breaches(connection: psycopg.Connection, values: Values) -> tuple[Waited, ...]:
    """Chats opened in the period that missed a target and are not closed yet; the oldest first."""
    return tuple(
        rows(
            connection,
            Waited,
            """
            select chats.chat_id, chats.agent_name, chats.department_name, chats.created_at,
                   chats.first_response_seconds as seconds
            from marts.sla_chats as sla
            inner join marts.chat_response_times as chats on chats.chat_id = sla.chat_id
            where sla.opened_local_date between %(start)s and %(end)s
                and sla.metric = 'overall' and sla.wall_state = 'breached'
                and chats.closed_at is null and not chats.is_deleted and {in_scope}
            order by chats.first_response_seconds is not null, chats.created_at, chats.chat_id
            limit %(most)s
            """,
            values | {"most": OPEN_BREACHES},
        )
    )


@dataclass(frozen=True)
class _SlotChat:
    """A chat of one of the slowest slots, with its slot."""

    slowest_rank: int
    day_of_week: int
    hour: int
    chat_count: int
    mean_seconds: float | None
    p50_seconds: float | None
    chat_id: str
    agent_name: str | None
    department_name: str | None
    created_at: datetime | None
    seconds: float | None
