"""The sources of a week side by side on a terminal: a work day's conversations, and what only rooms and calls have."""

from datetime import date, timedelta

import psycopg
from rich.console import Console
from rich.table import Table

from dagster_project.exports.pictures.heatmap import short

_FRIDAY = timedelta(days=4)


def print_sources(console: Console, conn: psycopg.Connection, week: date) -> None:
    """The conversations of each source on a week's Friday, with times of their own; then the week's rooms and calls.

    Args:
        week: its Monday.
    """
    day = week + _FRIDAY
    rows = conn.execute(
        """
        select source, chat_count, first_response_count, p50_first_response_seconds, p50_resolution_seconds
        from marts.conversations_daily where local_date = %s and source <> 'all' order by source
        """,
        [day],
    ).fetchall()
    if len(rows) < 2:
        return
    table = Table("source", title=f"Conversations of Friday {day}", title_justify="left", box=None, padding=(0, 2))
    for column in ("conversations", "answered", "first response (p50)", "resolution (p50)"):
        table.add_column(column, justify="right")
    for source, count, answered, response, resolution in rows:
        table.add_row(source, f"{count:,}", f"{answered:,}", short(response), short(resolution))
    console.print()
    console.print(table)
    _print_rooms(console, conn, week)
    _print_calls(console, conn, week)


def _print_rooms(console: Console, conn: psycopg.Connection, week: date) -> None:
    escalated = conn.execute(
        """
        select created_count, escalation_rate, first_level_resolution_rate, p50_handover_seconds
        from marts.escalations_by_period where period = 'week' and period_start = %s and scope = 'all'
        """,
        [week],
    ).fetchone()
    if escalated and escalated[0]:
        count, rate, first_level, wait = escalated
        console.print(
            f"Rooms of that week: {count} escalations, of {_share(rate)} of the conversations; {_share(first_level)} "
            f"ended at the first level; at the next one the customer waits {short(wait)} (p50)"
        )
    robots = conn.execute(
        """
        select robot_id, room_count, containment_rate, handover_rate, success_rate from marts.robots_by_period
        where period = 'week' and period_start = %s and robot_id <> 'all' and room_count > 0 order by robot_id
        """,
        [week],
    ).fetchall()
    for robot, count, contained, handed_over, success in robots:
        console.print(
            f"Robot {robot}: {count} conversations, {_share(contained)} contained, {_share(handed_over)} handed over; "
            f"{_share(success)} of its answers came"
        )


def _print_calls(console: Console, conn: psycopg.Connection, week: date) -> None:
    found = conn.execute(
        """
        select calls.call_count, answer_rate, service_level, target_seconds, uncovered_call_share, visit_count,
               overall_rate
        from marts.calls_by_period as calls
        left join marts.coverage_by_period using (period, period_start, scope, scope_id)
        left join marts.funnel_by_period using (period, period_start, scope, scope_id)
        where period = 'week' and period_start = %s and scope = 'all'
        """,
        [week],
    ).fetchone()
    if not found:
        return
    calls, answered, in_time, target, uncovered, visits, completed = found
    console.print(
        f"Calls of that week: {calls:,}, {_share(answered)} answered, {_share(in_time)} within {target} s; "
        f"{_share(uncovered)} were asked for while nobody was signed in; of {visits or 0:,} visits "
        f"{_share(completed, 1)} came to a completed call"
    )


def _share(rate: float | None, decimals: int = 0) -> str:
    return "·" if rate is None else f"{rate:.{decimals}%}"
