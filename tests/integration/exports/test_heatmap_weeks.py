"""Which week is shown where nobody names one."""

from datetime import date

import psycopg
import pytest

from dagster_project.exports.pictures.heatmap import last_full_week


@pytest.mark.parametrize(
    ("days", "week"),
    [
        ([], None),
        (["2026-01-07"], date(2026, 1, 5)),  # a new account: there is only the week that goes on
        (["2026-01-07", "2026-01-12"], date(2026, 1, 5)),
        (["2026-01-07", "2026-01-18"], date(2026, 1, 5)),  # Sunday, with chats still to come
        (["2026-01-07", "2026-01-19"], date(2026, 1, 12)),
    ],
)
def test_the_week_shown_is_the_last_full_one_or_the_first(
    database_url: str, days: list[str], week: date | None
) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("create schema if not exists marts")
        conn.execute("create table marts.weekly_response_time_heatmap ()")
        conn.execute("create table marts.chat_response_times (created_local_date date)")
        for day in days:
            conn.execute("insert into marts.chat_response_times values (%s)", [day])
        assert last_full_week(conn) == week
