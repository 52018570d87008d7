"""Business time in SQL against a count of every second, and by hand, in a zone whose clocks change.

2025 in New York: on 9 March 02:00 becomes 03:00, on 2 November 02:00 becomes 01:00.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from dagster_project.orchestration.dbt_project import DBT_DIR
from tests.support import forked_dbt
from tests.support.business_seconds import Seconds, Span

ZONE = "America/New_York"
FIRST, LAST = date(2025, 2, 20), date(2025, 12, 10)
OPEN_TO, LONGER_FROM = date(2025, 6, 30), date(2025, 7, 1)
WORK_DAYS, WEEK = range(1, 6), range(1, 8)
HOURS = {
    # Lunch, a shorter Saturday, a night shift, and longer afternoons from July on.
    "split": [
        *(Span(day, "08:00", "12:00") for day in WORK_DAYS),
        *(Span(day, "13:00", "18:00", valid_to=OPEN_TO) for day in WORK_DAYS),
        *(Span(day, "13:00", "20:00", valid_from=LONGER_FROM) for day in WORK_DAYS),
        Span(6, "09:00", "13:00"),
        Span(6, "22:00", "06:00"),
    ],
    "always": [Span(day, "00:00", "24:00") for day in WEEK],
    # Spans that overlap, and borders in the hours that clock changes skip and repeat.
    "odd": [Span(7, "01:30", "04:00"), Span(7, "02:30", "02:45"), Span(1, "08:00", "15:00"), Span(1, "10:00", "17:00")],
}
# Labor Day stands at a month's edge; Saturday the 15th has a night shift that goes on into Sunday.
HOLIDAYS = {"split": [date(2025, 9, 1), date(2025, 3, 15)], "always": [], "odd": [date(2025, 9, 1)]}
SEEDS = """
    create schema intermediate;
    create table intermediate.business_hours (
        calendar text, weekday integer, starts_at time, ends_at time, valid_from date, valid_to date);
    create table intermediate.holidays (calendar text, holiday_date date);
    create table intermediate.department_calendars (department text, calendar text, valid_from date, valid_to date);
    create table intermediate.sla_targets (
        metric text, provider text, priority text, target_seconds integer, is_enabled boolean,
        valid_from date, valid_to date);
    create table public.intervals (
        id integer, calendar text, start_at timestamptz, middle_at timestamptz, end_at timestamptz, target integer);
"""
MODELS = ["int_business_slots", "int_rule_days", "int_affected_calendars", "int_calendar_clock", "int_calendar_due"]

Interval = tuple[str, datetime, datetime, datetime, int]  # calendar, start, middle, end, target
Measured = dict[str, Any]


@pytest.fixture(scope="module")
def conn(new_database: Callable[[], str]) -> Iterator[psycopg.Connection]:
    url = new_database()
    with psycopg.connect(url, autocommit=True) as made:
        made.execute(SEEDS)
        for calendar, spans in HOURS.items():
            for span in spans:
                made.execute(
                    "insert into intermediate.business_hours values (%s, %s, %s, %s, %s, %s)",
                    (calendar, span.weekday, span.starts, span.ends,
                     None if span.valid_from == date.min else span.valid_from,
                     None if span.valid_to == date.max else span.valid_to))
            for day in HOLIDAYS[calendar]:
                made.execute("insert into intermediate.holidays values (%s, %s)", (calendar, day))
        done = forked_dbt.run(url, "run", "--select", *MODELS, B2CHAT_TIMEZONE=ZONE)
        assert done.returncode == 0, done.stdout[-4000:]
        yield made


@pytest.fixture(scope="module")
def measure(conn: psycopg.Connection) -> Callable[[list[Interval]], list[Measured]]:
    """Measures intervals with the macros that the models use."""
    text = (DBT_DIR / "macros" / "metrics" / "business_time.sql").read_text()
    macros: Any = jinja2.Environment().from_string(text, globals={"ref": lambda name: f"intermediate.{name}"}).module
    used_up = macros.open_seconds("start_clock", "i.start_at") + " + i.target"
    query = f"""
        with timed as (
            select
                i.*,
                {macros.business_seconds("start_clock", "i.start_at", "end_clock", "i.end_at")} as business,
                {macros.business_seconds("start_clock", "i.start_at", "middle_clock", "i.middle_at")} as first_part,
                {macros.business_seconds("middle_clock", "i.middle_at", "end_clock", "i.end_at")} as second_part,
                {macros.due_at("due", used_up)} as due_at
            from public.intervals as i
            {macros.join_clock("start_clock", "i.calendar", "i.start_at")}
            {macros.join_clock("middle_clock", "i.calendar", "i.middle_at")}
            {macros.join_clock("end_clock", "i.calendar", "i.end_at")}
            {macros.join_due("due", "i.calendar", used_up)}
        )
        select
            timed.*,
            {macros.business_seconds("start_clock", "timed.start_at", "due_clock", "timed.due_at")} as to_due
        from timed
        {macros.join_clock("start_clock", "timed.calendar", "timed.start_at")}
        {macros.join_clock("due_clock", "timed.calendar", "timed.due_at")}
        order by timed.id
    """

    def run(intervals: list[Interval]) -> list[Measured]:
        conn.execute("truncate public.intervals")
        with conn.cursor() as cursor, cursor.copy("copy public.intervals from stdin") as copy:
            for number, interval in enumerate(intervals):
                copy.write_row((number, *interval))
        with conn.cursor(row_factory=dict_row) as asking:
            return asking.execute(query).fetchall()

    return run


@pytest.fixture(scope="module")
def seconds() -> dict[str, Seconds]:
    return {name: Seconds(ZONE, FIRST, LAST, spans, HOLIDAYS[name]) for name, spans in HOURS.items()}


def _instant(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE), fold=fold)


CASES = {
    "inside one span": ("split", "2025-05-06 09:00:00", "2025-05-06 09:10:30", 630),
    "across lunch": ("split", "2025-05-06 11:50:00", "2025-05-06 13:10:00", 1200),
    "in the lunch hour alone": ("split", "2025-05-06 12:00:00", "2025-05-06 13:00:00", 0),
    "overnight without a shift": ("split", "2025-05-06 17:59:00", "2025-05-07 08:01:00", 120),
    "in a night shift": ("split", "2025-05-10 23:30:00", "2025-05-11 00:30:00", 3600),
    "over a weekend with a night shift": ("split", "2025-05-09 17:00:00", "2025-05-12 09:00:00", 14 * 3600),
    "wholly outside hours": ("split", "2025-05-11 07:00:00", "2025-05-12 07:59:59", 0),
    "over a holiday at a month's edge": ("split", "2025-08-29 19:00:00", "2025-09-02 09:00:00", 14 * 3600),
    "on the holiday": ("split", "2025-09-01 08:00:00", "2025-09-01 18:00:00", 0),
    "in the night after a holiday": ("split", "2025-03-15 09:00:00", "2025-03-16 08:00:00", 0),
    "over a change of hours": ("split", "2025-06-30 17:00:00", "2025-07-01 20:30:00", 3600 + 11 * 3600),
    "in the night that lost an hour": ("split", "2025-03-08 22:00:00", "2025-03-09 06:00:00", 7 * 3600),
    "in the night that won an hour": ("split", "2025-11-01 22:00:00", "2025-11-02 06:00:00", 9 * 3600),
    "always open, over the lost hour": ("always", "2025-03-09 00:00:00", "2025-03-10 00:00:00", 23 * 3600),
    "always open, over the won hour": ("always", "2025-11-02 00:00:00", "2025-11-03 00:00:00", 25 * 3600),
    "overlapping spans count once": ("odd", "2025-05-05 07:00:00", "2025-05-05 23:00:00", 9 * 3600),
    "the end comes first": ("split", "2025-05-06 10:00:00", "2025-05-06 09:59:59", None),
    "before the calendar begins": ("split", "2014-12-31 23:59:59", "2025-05-06 09:00:00", None),
    "after the calendar ends": ("always", "2025-05-06 09:00:00", "2036-01-01 00:00:00", None),
}


@pytest.mark.parametrize("case", CASES)
def test_business_seconds_by_hand(measure: Callable[[list[Interval]], list[Measured]], case: str) -> None:
    calendar, start, end, expected = CASES[case]
    (found,) = measure([(calendar, _instant(start), _instant(start), _instant(end), 60)])
    assert found["business"] == expected


@pytest.mark.parametrize(
    ("start", "target", "due"),
    [
        ("2025-05-06 09:00:00", 300, "2025-05-06 09:05:00"),
        ("2025-05-06 11:59:00", 300, "2025-05-06 13:04:00"),
        ("2025-05-06 11:55:00", 300, "2025-05-06 12:00:00"),  # used up exactly at closing time: due then
        ("2025-05-06 11:55:00", 301, "2025-05-06 13:00:01"),
        ("2025-05-06 12:30:00", 120, "2025-05-06 13:02:00"),
        ("2025-08-30 13:00:00", 8 * 3600, "2025-08-31 06:00:00"),  # all of a night shift
        ("2025-08-31 07:00:00", 60, "2025-09-02 08:01:00"),  # a Sunday, then Labor Day
        ("2025-11-01 22:00:00", 8 * 3600, "2025-11-02 05:00:00"),  # the night has nine hours
    ],
)
def test_the_deadline_by_hand(
    measure: Callable[[list[Interval]], list[Measured]], start: str, target: int, due: str
) -> None:
    (found,) = measure([("split", _instant(start), _instant(start), _instant(start), target)])
    assert found["due_at"] == _instant(due)
    assert found["to_due"] == target


_BEGIN = datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(days=1)
_RANGE = (LAST - FIRST).days * 86400 - 40 * 86400
_BORDERS = [  # of spans, of days, of clock changes, of the months and of the holiday
    int((_instant(text) - _BEGIN).total_seconds())
    for text in (
        "2025-03-09 01:30:00", "2025-03-09 03:00:00", "2025-05-06 12:00:00", "2025-05-06 13:00:00",
        "2025-06-30 18:00:00", "2025-07-01 00:00:00", "2025-09-01 00:00:00", "2025-09-02 00:00:00",
    )
]
_moments = st.integers(0, _RANGE) | st.sampled_from(_BORDERS).flatmap(lambda at: st.integers(at - 2, at + 2))
_lengths = st.integers(0, 3600) | st.integers(0, 30 * 86400)
_chats = st.tuples(
    st.sampled_from(list(HOURS)), _moments, _lengths, st.integers(0, 100), st.sampled_from([1, 120, 300, 7200, 200_000])
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(drawn=st.lists(_chats, min_size=100, max_size=100))
def test_sql_agrees_with_a_count_of_every_second(
    measure: Callable[[list[Interval]], list[Measured]],
    seconds: dict[str, Seconds],
    drawn: list[tuple[str, int, int, int, int]],
) -> None:
    at = [_BEGIN + timedelta(seconds=moment) for _, moment, *_ in drawn]
    found = measure([
        (calendar, start, start + timedelta(seconds=length * share // 100), start + timedelta(seconds=length), target)
        for start, (calendar, _, length, share, target) in zip(at, drawn, strict=True)
    ])
    for row in found:
        counted = seconds[row["calendar"]]
        start, end = counted.second(row["start_at"]), counted.second(row["end_at"])
        assert row["business"] == counted.between(start, end), row
        assert row["business"] == row["first_part"] + row["second_part"], row
        assert row["business"] <= end - start, row
        assert row["calendar"] != "always" or row["business"] == end - start, row
        due = counted.due(start, row["target"])
        assert due is None or counted.second(row["due_at"]) == due, row
        assert row["to_due"] == row["target"], row
