"""Which windows a sync reads: what was never read whole, what is recent, and what may still change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import psycopg

from dagster_project.ingestion.checkpoints import OpenWindow
from dagster_project.sources.b2chat.records import FINAL_STATUSES, Entity
from dagster_project.sources.b2chat.windows import Window, days

Mode = Literal["incremental", "full", "backfill", "sweep"]

# Old days are read again only for chats that never ended (a bot's, say), and most old days have one. So each such day
# is read once a day, not by each sync, and not all by the same sync; the longest unread go first.
MAX_OLD_DAYS = 60
# Chats change after they are closed, too (tags, re-openings): each day of the sweep is read at least this often.
SWEEP_EVERY = timedelta(hours=24)
# Contacts have no sure sign that they were changed or deleted: from time to time all are read.
ALL_CONTACTS_EVERY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a sync is asked to read. All days are days of the account's zone.

    Attributes:
        mode: "incremental" reads what was never read whole, what is recent and what may have changed; "full" all days
            from `start_date` (all contacts); "backfill" the days `day_from` to `day_to`; "sweep" the last
            `sweep_days` days (of contacts: as "incremental").
        lookback_days: recent days that each incremental sync reads again.
        sweep_days: recent days of which an incremental sync reads those that were not read for a day.
    """

    mode: Mode
    start_date: date
    today: date
    lookback_days: int
    sweep_days: int
    day_from: date | None = None
    day_to: date | None = None

    def __post_init__(self) -> None:
        if self.start_date > self.today:
            raise ValueError(f"start_date {self.start_date} is after today, {self.today}")
        given = self.day_from is not None, self.day_to is not None
        if given != (self.mode == "backfill",) * 2:
            raise ValueError("day_from and day_to belong to a backfill, and a backfill needs both")
        if self.day_from and self.day_to and not self.day_from <= self.day_to <= self.today:
            raise ValueError(f"day_from {self.day_from}, day_to {self.day_to} and today must be in this order")


@dataclass(frozen=True, slots=True)
class Plan:
    """The windows of one sync, in order.

    Attributes:
        old_days_waiting: days with unfinished chats, not read today, that are left to later syncs.
        reads_up_to: for contacts, the day that counts as read when all windows are.
    """

    windows: list[Window]
    old_days_waiting: int = 0
    reads_up_to: date | None = None


def plan(
    conn: psycopg.Connection,
    entity: Entity,
    scope: Scope,
    under_way: Mapping[str, OpenWindow],
    read_since: datetime | None,
) -> Plan:
    """Decide which windows to read.

    Args:
        under_way: windows that an earlier sync was broken off in.
        read_since: days that were read whole since then need not be read once more: the sync takes up one like it.
    """
    if entity == "contacts":
        return _contacts(conn, scope, under_way)
    read: dict[date, datetime] = dict(
        conn.execute("select window_day, read_at from ops.sync_windows where entity_type = 'chats'").fetchall()
    )
    if scope.mode == "incremental":
        return _changed_chats(conn, scope, read)
    chosen = [day for day in _asked_days(scope) if read_since is None or day not in read or read[day] < read_since]
    return _by_day(chosen)


def _asked_days(scope: Scope) -> list[date]:
    if scope.day_from and scope.day_to:
        return days(scope.day_from, scope.day_to)
    first = scope.start_date
    if scope.mode == "sweep":
        first = max(first, scope.today - timedelta(days=scope.sweep_days))
    return days(first, scope.today)


def _changed_chats(conn: psycopg.Connection, scope: Scope, read: Mapping[date, datetime]) -> Plan:
    recent = scope.today - timedelta(days=scope.lookback_days)
    swept, stale = scope.today - timedelta(days=scope.sweep_days), datetime.now(UTC) - SWEEP_EVERY
    chosen = {
        day
        for day in days(scope.start_date, scope.today)
        if day not in read or day >= recent or (day >= swept and read[day] < stale)
    }
    old = [
        day
        for day in _unfinished_days(conn, scope.today)
        if day not in chosen and scope.start_date <= day <= scope.today
    ]
    chosen.update(old[:MAX_OLD_DAYS])
    return replace(_by_day(sorted(chosen)), old_days_waiting=len(old[MAX_OLD_DAYS:]))


def _by_day(chosen: Sequence[date]) -> Plan:
    return Plan([Window("chats", day, day) for day in chosen])


def _unfinished_days(conn: psycopg.Connection, today: date) -> Sequence[date]:
    """The windows that chats not in a final state came from and no sync of today has read, longest unread first."""
    # Nothing of raw.chats but what chats_not_final_idx holds: its payloads would be read for it, all of them.
    rows = conn.execute(
        """
        with unfinished as materialized (
            select distinct load_id from raw.chats
            where payload ->> 'status' is distinct from %s
              and payload ->> 'status' is distinct from %s
              and payload ->> 'status' is distinct from %s
              and deleted_at is null
        )
        select p.window_from
        from unfinished
        join ops.page_loads p using (load_id)
        left join ops.sync_windows w on w.entity_type = 'chats' and w.window_day = p.window_from
        where p.window_from is not null
          and not exists (select from ops.sync_logs l where l.id = w.sync_id and l.metadata ->> 'today' = %s)
        group by 1
        order by min(w.read_at) nulls first, 1
        """,
        (*FINAL_STATUSES, str(today)),
    ).fetchall()
    return [row[0] for row in rows]


def _contacts(conn: psycopg.Connection, scope: Scope, under_way: Mapping[str, OpenWindow]) -> Plan:
    if scope.mode == "backfill":
        return Plan(_updated_or_created(scope.day_from, scope.day_to))
    everything = Window("contacts")
    row = conn.execute("select max(window_day) from ops.sync_windows where entity_type = 'contacts'").fetchone()
    in_vain = _all_contacts_read_in_vain(conn)
    last = (row[0] if row else None) or in_vain
    if (
        scope.mode == "full"
        or str(everything) in under_way
        or last is None
        or (not in_vain and _all_contacts_are_due(conn))
    ):
        windows = [everything]
    else:
        windows = _updated_or_created(last - timedelta(days=1), None)
    # What was read before a sync was broken off counts from then.
    broken_off = [under_way[str(window)].reads_up_to for window in windows if str(window) in under_way]
    return Plan(windows, reads_up_to=min([scope.today, *(day for day in broken_off if day)]))


def _updated_or_created(day_from: date | None, day_to: date | None) -> list[Window]:
    # By both days: it is not documented that a contact counts as updated when it is created.
    return [Window("contacts", day_from, day_to, "updated"), Window("contacts", day_from, day_to, "created")]


def _all_contacts_read_in_vain(conn: psycopg.Connection) -> date | None:
    """Up to which day all contacts were read within a day, to their end, and did not add up.

    Where they never do, each sync would read the whole of a long list, several times over, and the day's requests with
    it: what is new and changed is read meanwhile.
    """
    row = conn.execute(
        """
        select (l.metadata ->> 'reads_up_to')::date
        from ops.sync_checkpoints c join ops.sync_logs l on l.id = c.sync_id
        where c.entity_type = 'contacts' and c.status = 'failed' and c.completed_at > %s
          and starts_with(c.checkpoint, 'all offset ')
        order by c.completed_at desc limit 1
        """,
        (datetime.now(UTC) - SWEEP_EVERY,),
    ).fetchone()
    return row[0] if row else None


def _all_contacts_are_due(conn: psycopg.Connection) -> bool:
    row = conn.execute(
        "select max(completed_at) from ops.sync_checkpoints "
        "where entity_type = 'contacts' and status = 'completed' and starts_with(checkpoint, 'all offset ')"
    ).fetchone()
    return not row or row[0] is None or row[0] < datetime.now(UTC) - ALL_CONTACTS_EVERY
