"""Which windows a sync reads: what was never read whole, what is recent, and what may still change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import psycopg

from dagster_project.b2chat.records import FINAL_STATUSES, Entity
from dagster_project.b2chat.windows import Window, days

Mode = Literal["incremental", "full"]

# Old days are read again only for chats that never ended (a bot's, say), and most old days have one. So each such day
# is read once a day, not by each sync, and not all by the same sync; the longest unread go first.
MAX_OLD_DAYS = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """The windows of one sync, in order.

    Attributes:
        start_offset: where the first window goes on, when an earlier sync was broken off in it.
        old_days_waiting: days with unfinished chats, not read today, that are left to later syncs.
        reads_up_to: for contacts, the day that counts as read when all windows are.
    """

    windows: list[Window]
    start_offset: int = 0
    old_days_waiting: int = 0
    reads_up_to: date | None = None


def plan(
    conn: psycopg.Connection, entity: Entity, mode: Mode, *, start_date: date, today: date, lookback_days: int,
    page_size: int,
) -> Plan:
    """Decide which windows to read. All days are days of the account's zone."""
    if entity == "contacts":
        return _contacts(conn, mode, today, page_size)
    if mode == "full":
        return Plan([Window("chats", day, day) for day in days(start_date, today)])
    return _changed_chats(conn, start_date, today, lookback_days)


def _changed_chats(conn: psycopg.Connection, start_date: date, today: date, lookback_days: int) -> Plan:
    read = {row[0] for row in conn.execute(
        "select window_day from ops.sync_windows where entity_type = 'chats'").fetchall()}
    recent = today - timedelta(days=lookback_days)
    chosen = {day for day in days(start_date, today) if day not in read or day >= recent}
    old = [day for day in _unfinished_days(conn, today) if day not in chosen and start_date <= day <= today]
    chosen.update(old[:MAX_OLD_DAYS])
    return Plan(
        [Window("chats", day, day) for day in sorted(chosen)], old_days_waiting=len(old[MAX_OLD_DAYS:]))


def _unfinished_days(conn: psycopg.Connection, today: date) -> Sequence[date]:
    """The windows that chats not in a final state came from and no sync of today has read, longest unread first."""
    rows = conn.execute(
        """
        select coalesce(p.window_from, left(c.payload ->> 'created_at', 10)::date) as day
        from raw.chats c
        left join ops.page_loads p using (load_id)
        left join ops.sync_windows w on w.entity_type = 'chats' and w.window_day = p.window_from
        left join ops.sync_logs l on l.id = w.sync_id
        where c.payload ->> 'status' is distinct from %s
          and c.payload ->> 'status' is distinct from %s
          and c.payload ->> 'status' is distinct from %s
          and l.metadata ->> 'today' is distinct from %s
        group by 1
        order by min(w.read_at) nulls first, 1
        """,
        (*FINAL_STATUSES, str(today)),
    ).fetchall()
    return [row[0] for row in rows]


def _contacts(conn: psycopg.Connection, mode: Mode, today: date, page_size: int) -> Plan:
    unfinished = _broken_off_reading(conn)
    if unfinished:
        offset, reads_up_to = unfinished
        # One page over again: contacts deleted meanwhile have moved the others up.
        return Plan([Window("contacts")], start_offset=max(0, offset - page_size), reads_up_to=reads_up_to)
    last = conn.execute("select max(window_day) from ops.sync_windows where entity_type = 'contacts'").fetchone()
    if mode == "full" or not last or last[0] is None:
        return Plan([Window("contacts")], reads_up_to=today)
    since = last[0] - timedelta(days=1)
    # By both days: it is not documented that a contact counts as updated when it is created.
    return Plan([Window("contacts", since, None, "updated"), Window("contacts", since, None, "created")],
                reads_up_to=today)


def _broken_off_reading(conn: psycopg.Connection) -> tuple[int, date] | None:
    """Where a reading of all contacts broke off, and the day up to which it will count."""
    row = conn.execute("""
        select s.last_sync_offset, (l.metadata ->> 'reads_up_to')::date
        from ops.sync_states s
        join ops.sync_logs l on l.entity_type = s.entity_type and l.metadata ? 'reads_up_to'
        where s.entity_type = 'contacts' and s.last_sync_offset > 0
        order by l.started_at desc
        limit 1
    """).fetchone()
    return (row[0], row[1]) if row else None
