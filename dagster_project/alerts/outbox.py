"""Messages that are to be sent, kept in ops.notification_deliveries until they were.

What is to be said of an episode follows from what was said last of it through the channel: nothing or "recovered", and
it is open: say so; said, and it is over: say that; said long ago, and it is still open: remind.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import LiteralString

import psycopg
from psycopg.rows import class_row

from dagster_project.alerts.message import Alert

# While a message is being sent nobody else takes it. Where its process was killed, it is sent again after this time.
_LEASE = timedelta(minutes=3)
_GIVEN_UP_AFTER = timedelta(days=3)
_MAX_ALERTS = 50  # in one message
_IS_MUTED: LiteralString = """exists (
    select 1 from ops.notification_mutes as mutes
    where mutes.muted_until > now() and mutes.kind = episodes.kind
        and (mutes.subject is null or mutes.subject = episodes.subject)
)"""


def enqueue(conn: psycopg.Connection, channels: Sequence[str], reminder_after: timedelta) -> int:
    """Write down what is to be said through some channels; returns how many messages are new.

    Nothing is said of what is muted, and no reminder of what is acknowledged or of a quarantine that did not grow.
    """
    if not channels:
        return 0
    with conn.transaction():
        # Nobody was told of it, and it is over: one message tells both.
        conn.execute("""
            update ops.notification_deliveries as waiting set event = 'recovered'
            from ops.notifications as episodes
            where waiting.status = 'pending' and waiting.event in ('opened', 'reminder')
                and episodes.id = waiting.notification_id and episodes.recovered_at is not null
        """)
        conn.execute("""
            update ops.notification_deliveries as waiting set event = 'opened'
            from ops.notifications as episodes
            where waiting.status = 'pending' and waiting.event = 'recovered'
                and episodes.id = waiting.notification_id and episodes.recovered_at is null
        """)
        return conn.execute(
            f"""
            insert into ops.notification_deliveries (notification_id, channel, event, value)
            select id, channel, event, value from (
                select
                    episodes.id,
                    channels.channel,
                    episodes.value,
                    row_number() over (order by episodes.type, episodes.created_at, episodes.kind, episodes.subject)
                        as place,
                    case
                        when episodes.recovered_at is not null
                            then case when told.event in ('opened', 'reminder') then 'recovered' end
                        when coalesce(told.event, 'recovered') = 'recovered' then 'opened'
                        when episodes.acknowledged_at is null and told.created_at < now() - %(reminder_after)s
                            and (episodes.kind <> 'quarantine_grew' or episodes.value > told.value)
                            then 'reminder'
                    end as event
                from ops.notifications as episodes
                cross join unnest(%(channels)s::text[]) as channels (channel)
                left join lateral (
                    select event, value, created_at from ops.notification_deliveries as deliveries
                    where deliveries.notification_id = episodes.id and deliveries.channel = channels.channel
                    order by delivery_id desc limit 1
                ) as told on true
                where episodes.kind is not null
                    and (episodes.recovered_at is null or episodes.recovered_at > now() - %(given_up_after)s)
                    and not {_IS_MUTED}
            ) as wanted
            where event is not null
            order by place
            on conflict (notification_id, channel) where status = 'pending' do nothing
            """,  # noqa: S608  a constant
            {"channels": list(channels), "reminder_after": reminder_after, "given_up_after": _GIVEN_UP_AFTER},
        ).rowcount


def claim(conn: psycopg.Connection, channel: str, ui_url: str | None) -> list[Alert]:
    """Take what is due through a channel, to send it now; committed, so that no lock is held while it is sent.

    What was muted, or a reminder of what was acknowledged, while it waited, waits on.
    """
    with conn.transaction(), conn.cursor(row_factory=class_row(_Claimed)) as cursor:
        claimed = cursor.execute(
            f"""
            with due as (
                select deliveries.delivery_id
                from ops.notification_deliveries as deliveries
                inner join ops.notifications as episodes on episodes.id = deliveries.notification_id
                where deliveries.status = 'pending' and deliveries.channel = %(channel)s
                    and deliveries.due_at <= now()
                    and not {_IS_MUTED}
                    and not (deliveries.event = 'reminder' and episodes.acknowledged_at is not null)
                order by deliveries.delivery_id limit %(most)s
                for update of deliveries skip locked
            )
            update ops.notification_deliveries as deliveries
            set attempts = attempts + 1, due_at = now() + %(lease)s
            from due, ops.notifications as episodes
            where deliveries.delivery_id = due.delivery_id and episodes.id = deliveries.notification_id
            returning deliveries.delivery_id, deliveries.event, episodes.kind, episodes.subject,
                episodes.type as severity, episodes.title, episodes.value, episodes.created_at as opened_at,
                coalesce(episodes.last_seen_at, episodes.created_at) as last_seen_at, episodes.recovered_at,
                episodes.metadata ->> 'run_id' as run_id
            """,  # noqa: S608  a constant
            {"channel": channel, "most": _MAX_ALERTS, "lease": _LEASE},
        ).fetchall()
    return sorted((one.alert(ui_url) for one in claimed), key=lambda alert: alert.delivery_id)


def sent(conn: psycopg.Connection, alerts: Sequence[Alert]) -> None:
    """Note that they were sent, and as what: where the trouble was over meanwhile, that is the next message."""
    with conn.transaction():
        conn.execute(
            """
            update ops.notification_deliveries as deliveries
            set status = 'sent', sent_at = now(), error = null, event = told.event
            from unnest(%s::bigint[], %s::text[]) as told (delivery_id, event)
            where deliveries.delivery_id = told.delivery_id and deliveries.status = 'pending'
            """,
            [[alert.delivery_id for alert in alerts], [alert.event for alert in alerts]],
        )


def failed(conn: psycopg.Connection, alerts: Sequence[Alert], reason: str) -> None:
    """Note why they could not be sent, and when to try again: after 1, 2, 4 … 15 minutes, for three days."""
    with conn.transaction():
        conn.execute(
            """
            update ops.notification_deliveries
            set error = %(reason)s,
                status = case when created_at < now() - %(given_up_after)s then 'failed' else 'pending' end,
                due_at = now() + make_interval(mins => least(2 ^ least(attempts - 1, 4), 15)::integer)
            where delivery_id = any(%(ids)s) and status = 'pending'
            """,
            {
                "reason": reason[:200],
                "given_up_after": _GIVEN_UP_AFTER,
                "ids": [alert.delivery_id for alert in alerts],
            },
        )


def waiting(conn: psycopg.Connection) -> Mapping[str, tuple[int, str | None]]:
    """How many messages wait in each channel, and why the last try of one failed."""
    rows = conn.execute("""
        select channel, count(*), (array_agg(error order by delivery_id desc) filter (where error is not null))[1]
        from ops.notification_deliveries where status = 'pending' group by channel
    """).fetchall()
    return {channel: (count, error) for channel, count, error in rows}


class _Claimed:
    def __init__(self, *, run_id: str | None, **fields: object) -> None:
        self._run_id, self._fields = run_id, fields

    def alert(self, ui_url: str | None) -> Alert:
        link = f"{ui_url}/runs/{self._run_id}" if ui_url and self._run_id else ui_url
        return Alert(**self._fields, link=link)  # type: ignore[arg-type]
