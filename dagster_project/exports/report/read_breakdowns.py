"""Of a report: who did what, and what the chats were about."""

from dataclasses import dataclass

import psycopg
from psycopg.sql import SQL, Composable

from dagster_project.exports.queries import Values, rows
from dagster_project.exports.report.data import Insights, Intent, Member, Scope, Share


def members(connection: psycopg.Connection, values: Values, kind: Scope) -> tuple[Member, ...]:
    """The agents, departments or channels, busiest first: all of them, or the one that the report is about."""
    if values["scope"] not in ("all", kind):
        return ()
    table, key, name = _DAILY[kind]
    return tuple(
        rows(
            connection,
            Member,
            """
            with known as (
                select * from marts.service_by_direction
                where period = %(kind)s and period_start = %(start)s and scope = %(member)s
                    and (%(scope)s = 'all' or scope_id = %(scope_id)s)
            ),

            chats as (
                select
                    scope_id as id,
                    sum(case when direction = %(direction)s then chat_count end)::integer as chat_count,
                    sum(case when direction = %(direction)s then closed_chat_count end)::integer as closed_count,
                    sum(case when direction <> %(direction)s then chat_count end)::integer as other_chat_count
                from known
                group by scope_id
            ),

            days as (
                select
                    {key} as id,
                    max({name}) as name,
                    sum(outgoing_message_count)::bigint as message_count,
                    {concurrency} as mean_concurrent_chats
                from {table}
                where local_date between %(start)s and %(end)s
                    and (%(scope)s = 'all' or {key} = %(scope_id)s)
                group by {key}
            ),

            sla as (
                select scope_id as id, judged_count, rate, goal, open_breached_count
                from marts.sla_by_direction
                where period = %(kind)s and period_start = %(start)s and scope = %(member)s
                    and direction = %(direction)s and metric = 'overall' and clock = 'wall'
            ),

            quality as (
                select
                    chats.agent_id as id,
                    count(categories.final_agent_quality_score) as quality_count,
                    avg(categories.final_agent_quality_score)::double precision as mean_quality
                from marts.chat_response_times as chats
                inner join marts.chat_categories as categories on categories.chat_id = chats.chat_id
                where %(member)s = 'agent'
                    and chats.created_local_date between %(start)s and %(end)s and not chats.is_deleted and {in_scope}
                group by chats.agent_id
            ),

            times as (
                select scope_id as id, metric, count, p50_seconds, p90_seconds
                from marts.response_times_by_direction
                where period = %(kind)s and period_start = %(start)s and scope = %(member)s
                    and direction = %(direction)s and clock = 'wall'
            )

            select
                days.id,
                days.name,
                coalesce(chats.chat_count, 0) as chat_count,
                coalesce(chats.closed_count, 0) as closed_count,
                days.message_count,
                coalesce(first_response.count, 0) as first_response_count,
                first_response.p50_seconds as first_response_p50_seconds,
                first_response.p90_seconds as first_response_p90_seconds,
                coalesce(reply.count, 0) as reply_count,
                reply.p50_seconds as reply_p50_seconds,
                coalesce(resolution.count, 0) as resolution_count,
                resolution.p50_seconds as resolution_p50_seconds,
                coalesce(sla.judged_count, 0) as sla_judged_count,
                sla.rate as sla_rate,
                days.mean_concurrent_chats,
                coalesce(quality.quality_count, 0) as quality_count,
                quality.mean_quality,
                coalesce(chats.other_chat_count, 0) as other_chat_count,
                sla.goal as sla_goal,
                coalesce(sla.open_breached_count, 0) as open_breached_count
            from days
            left join chats on chats.id = days.id
            left join sla on sla.id = days.id
            left join times as first_response
                on first_response.id = days.id and first_response.metric = 'first_response'
            left join times as reply on reply.id = days.id and reply.metric = 'reply'
            left join times as resolution on resolution.id = days.id and resolution.metric = 'resolution'
            left join quality on quality.id = days.id
            order by coalesce(chats.chat_count, 0) desc, chats.other_chat_count desc nulls last, days.name, days.id
            """,
            values | {"member": kind},
            table=SQL(table),
            key=SQL(key),
            name=SQL(name),
            concurrency=SQL(_CONCURRENCY if kind == "agent" else "null::double precision"),
        )
    )


_DAILY = {
    "agent": ("marts.agent_daily", "agent_id", "agent_name"),
    "department": ("marts.department_daily", "department_id", "department_name"),
    "provider": ("marts.channel_daily", "provider", "provider"),
}
_CONCURRENCY = "sum(active_chat_seconds)::double precision / nullif(sum(active_seconds), 0)"


def intents(connection: psycopg.Connection, values: Values) -> tuple[Intent, ...]:
    """What customers wanted, most wanted first, beside the period before."""
    return tuple(
        rows(
            connection,
            Intent,
            """
            with known as (
                select * from marts.intents_by_direction
                where period = %(kind)s and period_start in (%(start)s, %(previous_start)s) and {of_scope}
            ),

            now as (select * from known where period_start = %(start)s),

            before as (select * from known where period_start = %(previous_start)s)

            select
                customer_intent as label,
                coalesce(now.chat_count, 0) as count,
                coalesce(now.label_share, 0) as share,
                coalesce(before.chat_count, 0) as previous_count,
                case when exists (select from before) then coalesce(before.label_share, 0) end as previous_share,
                coalesce(now.first_response_count, 0) as first_response_count,
                now.p50_first_response_seconds as first_response_p50_seconds
            from now
            full join before using (customer_intent)
            where exists (select from now)
            order by coalesce(now.chat_count, 0) desc, customer_intent
            """,
            values,
        )
    )


# What `insights` counts: the period's chats with their categories, a person's before a machine's.
PERIODS_CATEGORIES = """
    select
        categories.final_source as source,
        categories.state,
        categories.needs_review,
        categories.final_intent as intent,
        categories.final_stage as stage,
        categories.final_sentiment as sentiment,
        categories.final_agent_quality_score as quality
    from marts.chat_response_times as chats
    left join marts.chat_categories as categories on categories.chat_id = chats.chat_id
    where chats.created_local_date between %(start)s and %(end)s and not chats.is_deleted and {in_scope}
"""


def insights(
    connection: psycopg.Connection, chats: Composable, values: Values, *, with_unlabelled: bool = True
) -> Insights:
    """What chats are about.

    Args:
        chats: a query for a row a chat: source (human, rules, llm, fake; null for no categories), state (of
            marts.chat_categories), needs_review, intent, stage, sentiment, quality.
        values: of the query.
        with_unlabelled: whether chats to which no label of a kind applies are a part of that kind's whole.
    """
    categories = rows(
        connection,
        _Category,
        """
        with chats as ({chats})

        select
            labels.kind,
            labels.label,
            count(*) as count,
            count(*) filter (where chats.source = 'rules') as by_rules_count,
            count(*) filter (where chats.source = 'llm') as by_model_count,
            count(*) filter (where chats.source = 'fake') as by_stand_in_count,
            count(*) filter (where chats.source = 'human') as by_people_count,
            count(*) filter (
                where chats.source is null and chats.state in ('pending', 'submitted', 'budget_deferred')
            ) as waiting_count,
            count(*) filter (where chats.source is null and chats.state in ('refused', 'dead')) as unanswered_count,
            sum(chats.needs_review::integer) as needs_review_count,
            count(chats.quality) as quality_count,
            avg(chats.quality)::double precision as mean_quality
        from chats
        cross join lateral (
            values
            ('all', null), ('intent', chats.intent), ('journey', chats.stage),
            ('sentiment', chats.sentiment)
        ) as labels (kind, label)
        where labels.kind = 'all' or chats.source is not null
        group by labels.kind, labels.label
        order by count(*) desc, labels.label
        """,
        values,
        chats=chats,
    )
    nothing = _Category("all", None, 0, 0, 0, 0, 0, 0, 0, 0, 0, None)
    whole = next((row for row in categories if row.kind == "all"), nothing)

    def shares(kind: str) -> tuple[Share, ...]:
        rows = [row for row in categories if row.kind == kind and (with_unlabelled or row.label)]
        total = sum(row.count for row in rows)
        return tuple(Share(row.label, row.count, row.count / total) for row in rows)

    return Insights(
        chat_count=whole.count,
        categorized_count=(
            whole.by_rules_count + whole.by_model_count + whole.by_stand_in_count + whole.by_people_count
        ),
        by_rules_count=whole.by_rules_count,
        by_model_count=whole.by_model_count,
        needs_review_count=whole.needs_review_count,
        intents=shares("intent"),
        journeys=shares("journey"),
        sentiments=shares("sentiment"),
        quality_count=whole.quality_count,
        mean_quality=whole.mean_quality,
        by_stand_in_count=whole.by_stand_in_count,
        by_people_count=whole.by_people_count,
        waiting_count=whole.waiting_count,
        unanswered_count=whole.unanswered_count,
    )


@dataclass(frozen=True)
class _Category:
    """Chats with one label of a kind; the counts of the whole stand in the rows of the kind `all`."""

    kind: str
    label: str | None
    count: int
    by_rules_count: int
    by_model_count: int
    by_stand_in_count: int
    by_people_count: int
    waiting_count: int
    unanswered_count: int
    needs_review_count: int | None
    quality_count: int
    mean_quality: float | None
