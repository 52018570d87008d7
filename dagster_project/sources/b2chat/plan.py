"""Which windows a sync reads: what was never fully read, what is recent, and what may still change."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dagster_project.sources.b2chat.windows import Window, days
from dagster_project.sources.contract import History, Plan, Scope

# Old days are read again only for chats that never ended (a bot's, say), and most old days have one. So each such day
# is read once a day, not by each sync, and not all by the same sync; the longest unread go first.
MAX_OLD_DAYS = 60
# The older a day, the less often: one of 90 days every third day, and from two and a half years on every thirtieth. A
# change is found when the chat is a thirtieth older, and within these days in any case.
AGE_PER_DAY_OF_REST = 30
MAX_REST_DAYS = 30
# Chats change after they are closed, too (tags, re-openings): each day of the sweep is read at least this often.
SWEEP_EVERY = timedelta(hours=24)
# Contacts have no sure sign that they were changed or deleted: from time to time all are read.
ALL_CONTACTS_EVERY = timedelta(days=7)


def plan_chats(scope: Scope, history: History) -> Plan:
    """The creation days to read, a window a day."""
    read = history.days_read()
    if scope.mode == "incremental":
        return _changed_chats(scope, history, read)
    since = history.resumed_since
    return _by_day([day for day in _asked_days(scope) if since is None or day not in read or read[day] < since])


def plan_contacts(scope: Scope, history: History) -> Plan:
    """All contacts, or those that were created or updated since the last sync."""
    if scope.mode == "backfill":
        return Plan(_updated_or_created(scope.day_from, scope.day_to))
    everything = Window("contacts")
    # Where all contacts never add up, each sync would read the whole of a long list, several times over, and the day's
    # requests with it: what is new and changed is read meanwhile.
    in_vain = history.read_in_vain_up_to(str(everything), datetime.now(UTC) - SWEEP_EVERY)
    last = max(history.days_read(), default=None) or in_vain
    if (
        scope.mode == "full"
        or str(everything) in history.open_windows
        or last is None
        or (not in_vain and _all_contacts_are_due(history, everything))
    ):
        windows = [everything]
    else:
        windows = _updated_or_created(last - timedelta(days=1), None)
    # What was read before a sync was interrupted counts from then.
    interrupted = [
        history.open_windows[str(window)].reads_up_to for window in windows if str(window) in history.open_windows
    ]
    return Plan(windows, reads_up_to=min([scope.today, *(day for day in interrupted if day)]))


def _asked_days(scope: Scope) -> list[date]:
    if scope.day_from and scope.day_to:
        return days(scope.day_from, scope.day_to)
    first = _first_day(scope)
    if scope.mode == "sweep":
        first = max(first, scope.today - timedelta(days=scope.sweep_days))
    return days(first, scope.today)


def _first_day(scope: Scope) -> date:
    if scope.start_date is None:
        raise ValueError("chats are read by day: a sync of them needs a start_date")
    return scope.start_date


def _changed_chats(scope: Scope, history: History, read: Mapping[date, datetime]) -> Plan:
    first, recent = _first_day(scope), scope.today - timedelta(days=scope.lookback_days)
    swept, stale = scope.today - timedelta(days=scope.sweep_days), datetime.now(UTC) - SWEEP_EVERY
    chosen = {
        day
        for day in days(first, scope.today)
        if day not in read or day >= recent or (day >= swept and read[day] < stale)
    }
    old = [
        day
        for day, last_read in history.days_that_may_change(scope.today).items()
        if day not in chosen and first <= day <= scope.today and _is_rested(day, last_read, scope.today)
    ]
    chosen.update(old[:MAX_OLD_DAYS])
    return replace(_by_day(sorted(chosen)), days_waiting=len(old[MAX_OLD_DAYS:]))


def _is_rested(day: date, last_read: date | None, today: date) -> bool:
    rest = min(MAX_REST_DAYS, (today - day).days // AGE_PER_DAY_OF_REST)
    return last_read is None or not 0 <= (today - last_read).days < rest


def _by_day(chosen: Sequence[date]) -> Plan:
    return Plan([Window("chats", day, day) for day in chosen])


def _updated_or_created(day_from: date | None, day_to: date | None) -> list[Window]:
    # By both days: it is not documented that a contact counts as updated when it is created.
    return [Window("contacts", day_from, day_to, "updated"), Window("contacts", day_from, day_to, "created")]


def _all_contacts_are_due(history: History, everything: Window) -> bool:
    last = history.completed_at(str(everything))
    return last is None or last < datetime.now(UTC) - ALL_CONTACTS_EVERY
