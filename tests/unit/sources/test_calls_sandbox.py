"""The made-up firm's calls: the same from the same parameters, of the size that the seed names, with every fault."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from dagster_project.sources.calls.sandbox import generator
from dagster_project.sources.calls.sandbox.fill import rows
from dagster_project.sources.calls.sandbox.firm import Firm
from dagster_project.sources.calls.sandbox.visits import COUNTRIES

FIRM = Firm(first_day=date(2026, 3, 2), days=400)  # a Monday
BEGINNING = datetime(2026, 3, 2, 5, tzinfo=UTC)  # its midnight in Bogota
DAY = timedelta(days=1)
UNTIL = BEGINNING + 42 * DAY
Made = Mapping[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def made() -> Made:
    return rows(FIRM, UNTIL)


def local(at: datetime) -> datetime:
    return at - timedelta(hours=5)


def test_the_same_parameters_make_the_same_rows_and_another_seed_others(made: Made) -> None:
    assert rows(FIRM, UNTIL) == made
    other = rows(Firm(FIRM.first_day, FIRM.days, seed=8), UNTIL)
    ids = [{row["id"] for table in one.values() for row in table} for one in (made, other)]
    assert ids[0].isdisjoint(ids[1])


def test_six_weeks_are_of_the_size_that_the_seed_names_for_now(made: Made) -> None:
    sizes = {"widget_pageviews": 10_000, "call_logs": 1_000, "agent_status_changes": 5_000, "agent_sessions": 500}
    assert {table: size for table, size in sizes.items() if not size * 0.5 < len(made[table]) < size * 1.5} == {}
    assert (len(made["pools"]), len(made["sites"])) == (3, 2)
    assert set(COUNTRIES) < {row["visitor_country_code"] for row in made["widget_pageviews"]}
    assert len(COUNTRIES) == 12


def test_a_day_costs_itself_and_not_the_years_before_it() -> None:
    one, years = Firm(date(2016, 3, 7), 5000), 10 * 364  # a Monday again
    life = Counter(row.table for row in generator.lives(one, range(years, years + 1)))
    assert 100 < life["widget_pageviews"] < 2_000


def test_every_end_of_a_call_occurs_and_each_tells_what_it_was(made: Made) -> None:
    offers = defaultdict[str, list[str]](list)
    for offer in made["call_offers"]:
        offers[offer["call_id"]].append(offer["outcome"])
    seen = Counter(call["status"] for call in made["call_logs"])
    assert set(seen) == {"pending", "accepted", "completed", "missed", "rejected", "canceled", "failed"}
    for call in made["call_logs"]:
        told = offers[call["id"]]
        assert (call["answered_at"] is not None) == ("accepted" in told) == (call["agent_id"] is not None)
        assert call["status"] != "rejected" or set(told) == {"declined"}
        assert call["status"] != "missed" or "withdrawn" not in told
        assert call["status"] != "canceled" or call["ended_by"] == "visitor"
        assert (call["ring_started_at"] is not None) == bool(told)
    assert seen["missed"] > sum(call["status"] == "missed" and bool(offers[call["id"]]) for call in made["call_logs"])
    assert Counter(outcome for told in offers.values() for outcome in told).keys() == {
        "accepted",
        "declined",
        "timeout",
        "withdrawn",
    }
    assert max(len(told) for told in offers.values()) >= 3  # one call, many phones
    again = [call for call in made["call_logs"] if call["reconnect_count"]]
    assert again and all(call["reconnect_token"] and call["reconnect_deadline_at"] for call in again)


def test_nobody_takes_a_call_in_a_break_or_two_at_once(made: Made) -> None:
    answered = defaultdict[str, list[tuple[datetime, datetime]]](list)
    accepted = {row["call_id"]: row for row in made["call_offers"] if row["outcome"] == "accepted"}
    for call in made["call_logs"]:
        if call["ended_at"] and call["id"] in accepted:
            at = accepted[call["id"]]["decided_at"]
            answered[call["agent_id"]].append((at, max(at, call["ended_at"])))
    for times in answered.values():
        times.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(times))
    reasons = {row["reason"] for row in made["agent_status_changes"]}
    assert {"break", "lunch", "paperwork"} <= reasons
    assert {row["to_status"] for row in made["agent_status_changes"]} == {
        "available",
        "in_call",
        "wrap_up",
        "busy",
        "away",
        "offline",
    }


def test_a_day_has_its_night_a_week_its_sunday_and_campaigns_bring_more(made: Made) -> None:
    people = [row for row in made["widget_pageviews"] if not row["is_bot"] and row["referrer_domain"]]
    seen = Counter(local(row["created_at"]).hour for row in people)
    assert sum(seen[hour] for hour in range(0, 6)) < sum(seen[hour] for hour in range(9, 15)) / 4
    by_day = Counter((local(row["created_at"]).date() - FIRM.first_day).days for row in people)
    assert by_day[6] < by_day[0] / 2
    campaigns = [day for day in range(42) if FIRM.has_campaign(day)]
    assert sum(by_day[day] for day in campaigns) > 1.3 * sum(by_day[day - 7] for day in campaigns)
    assert any("utm_campaign" in row["page_url"] for row in people)


def test_some_hours_of_the_week_have_as_many_calls_as_staffing_asks_for(made: Made) -> None:
    hours = Counter(
        (call["pool_id"], local(call["created_at"]).weekday(), local(call["created_at"]).hour)
        for call in made["call_logs"]
        if call["status"] in {"completed", "missed", "rejected"}
    )
    assert {hour[1:] for hour, count in hours.items() if count >= 20} >= {(1, 10), (1, 11), (3, 10), (3, 11)}


def test_every_fault_of_real_widgets_occurs(made: Made) -> None:
    sessions, calls, views = made["agent_sessions"], made["call_logs"], made["widget_pageviews"]
    old = UNTIL - 3 * DAY
    ended = [row for row in sessions if row["ended_at"]]
    by_agent = defaultdict[str, list[dict[str, Any]]](list)
    for row in ended:
        by_agent[row["agent_id"]].append(row)
    alone = [
        change
        for change in made["agent_status_changes"]
        if not any(
            row["started_at"] <= change["changed_at"] <= (row["ended_at"] or UNTIL)
            for row in sessions
            if row["agent_id"] == change["agent_id"]
        )
    ]
    instants = Counter((row["agent_id"], row["changed_at"]) for row in made["agent_status_changes"])
    pools = defaultdict[str, set[str]](set)
    for member in made["agent_pool_members"]:
        pools[member["agent_profile_id"]].add(member["pool_id"])
    pool_of = {call["id"]: call["pool_id"] for call in calls}
    a_day = Counter((row["visitor_id"], local(row["created_at"]).date()) for row in views if not row["is_bot"])
    tokens = Counter(call["reconnect_token"] for call in calls if call["reconnect_token"])
    found = {
        "a session that nobody ended": sum(not row["ended_at"] and row["started_at"] < old for row in sessions),
        "a session of 40 hours": sum(row["ended_at"] - row["started_at"] == timedelta(hours=40) for row in ended),
        "two tabs": sum(
            one is not other and one["started_at"] < other["started_at"] < one["ended_at"]
            for rows in by_agent.values()
            for one in rows
            for other in rows
        ),
        "a status without a session": len(alone),
        "two changes in one instant": sum(count > 1 for count in instants.values()),
        "a late pageview": sum(row["updated_at"] - row["created_at"] > DAY for row in views),
        "an answer before the call": sum(bool(c["answered_at"]) and c["answered_at"] < c["created_at"] for c in calls),
        "an end before the answer": sum(
            bool(c["answered_at"] and c["ended_at"]) and c["ended_at"] < c["answered_at"] for c in calls
        ),
        "an orphan": sum(c["status"] == "accepted" and c["created_at"] < old for c in calls),
        "a call that stays pending": sum(c["status"] == "pending" and c["created_at"] < old for c in calls),
        "a robot": sum(row["is_bot"] for row in views),
        "a robot that nobody marked": sum(count > 1_000 for (visitor, _), count in a_day.items() if visitor),
        "no country": sum(row["visitor_country_code"] is None for row in views),
        "what is no country": sum(len(row["visitor_country_code"] or "XX") != 2 for row in views),
        "an anonymous visitor": sum(row["visitor_id"] is None for row in views),
        "a call without a pageview": sum(call["pageview_id"] is None for call in calls),
        "an offer outside the pool": sum(
            pool_of[o["call_id"]] not in pools[o["agent_id"]] for o in made["call_offers"]
        ),
        "one token for two calls": sum(count > 1 for count in tokens.values()),
        "an invitation that expired": sum(
            i["accepted_at"] is None and i["expires_at"] < UNTIL for i in made["invites"]
        ),
        "an agent who left": sum(not row["is_active"] for row in made["agent_profiles"]),
    }
    assert [name for name, count in found.items() if not count] == []


def test_a_row_is_what_it_was_at_each_instant(made: Made) -> None:
    """Whoever reads in between sees a call ring, then live, then ended, and never what only came later."""
    call = next(c for c in made["call_logs"] if c["status"] == "completed" and c["created_at"] > BEGINNING + 15 * DAY)
    between = call["answered_at"] + (call["ended_at"] - call["answered_at"]) / 2
    earlier = rows(FIRM, between)
    then = {row["id"]: row for table in earlier.values() for row in table}
    now = {row["id"]: row for table in made.values() for row in table}
    assert set(then) < set(now)
    assert then[call["id"]]["status"] == "accepted" and then[call["id"]]["ended_at"] is None
    planned = ("expires_at", "reconnect_deadline_at")
    times = [row[name] for row in then.values() for name in row if name.endswith("_at") and name not in planned]
    assert max(time for time in times if time) <= between
    changed = {name for identity, row in then.items() for name in row if row[name] != now[identity][name]}
    assert {"ended_at", "status", "disposition_id", "removed_at", "is_active"} <= changed
