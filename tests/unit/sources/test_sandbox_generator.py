"""The made-up account: deterministic, complete under paging, alive with the clock, and true to what was measured."""

import statistics
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

import pytest

from dagster_project.sources.b2chat.sandbox.chat_lifecycle import ChatLifecycles
from dagster_project.sources.b2chat.sandbox.generator import Account, GeneratedSource
from dagster_project.sources.b2chat.sandbox.parameters import chat_query
from dagster_project.sources.b2chat.sandbox.source import ChatQuery, ContactQuery, Days, provider_slug
from dagster_project.sources.invented_arrivals import ArrivalProcess
from dagster_project.warehouse.seeds import channels

FIRST_DAY = date(2025, 9, 1)  # a Monday
MONTH = Account(first_day=FIRST_DAY, days=30, chats_per_day=120)
MONTH_END = datetime(2025, 10, 1, 5, 0, tzinfo=UTC)  # midnight in Bogota
LONG_AFTER = datetime(2026, 9, 1, tzinfo=UTC)


def pages(fetch: Any, now: datetime, query: type, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
    """All pages that a query has, one after the other."""
    offset = 0
    while page := fetch(query(offset=offset, **parameters), now).records:
        yield page
        offset += len(page)


def all_chats(source: GeneratedSource, now: datetime, **parameters: Any) -> list[dict[str, Any]]:
    return [chat for page in pages(source.chats, now, ChatQuery, **parameters) for chat in page]


def all_contacts(source: GeneratedSource, now: datetime, **parameters: Any) -> list[dict[str, Any]]:
    return [contact for page in pages(source.contacts, now, ContactQuery, **parameters) for contact in page]


ids = partial(map, lambda chat: chat["chat_id"])


def seconds(chat: dict[str, Any], start: str, end: str) -> float:
    return (datetime.fromisoformat(chat[end]) - datetime.fromisoformat(chat[start])).total_seconds()


@pytest.fixture(scope="module")
def month() -> GeneratedSource:
    return GeneratedSource(MONTH)


@pytest.fixture(scope="module")
def at_month_end(month: GeneratedSource) -> list[dict[str, Any]]:
    return all_chats(month, MONTH_END, descending=False)


@pytest.fixture(scope="module")
def long_after(month: GeneratedSource) -> list[dict[str, Any]]:
    return all_chats(month, LONG_AFTER, descending=False)


def test_paging_meets_every_chat_once_in_order_of_creation_both_ways(month: GeneratedSource) -> None:
    days = Days(date(2025, 9, 10), date(2025, 9, 12))
    ascending = all_chats(month, MONTH_END, created=days, descending=False, limit=7)
    descending = all_chats(month, MONTH_END, created=days, descending=True, limit=13)
    keys = [(chat["created_at"], chat["chat_id"]) for chat in ascending]
    assert keys == sorted(set(keys))
    assert list(ids(descending)) == list(ids(ascending))[::-1]
    assert month.chats(ChatQuery(created=days), MONTH_END).total == len(ascending) > 300


def test_the_days_of_a_window_are_local_days() -> None:
    sunday = date(2025, 9, 7)
    source = GeneratedSource(Account(first_day=FIRST_DAY, days=14, chats_per_day=20_000))
    evening = source.chats(ChatQuery(limit=1, created=Days(sunday, sunday)), MONTH_END).records
    morning = source.chats(ChatQuery(limit=1, descending=False, created=Days(sunday, sunday)), MONTH_END).records
    assert evening[0]["created_at"] > "2025-09-07 23:30:00"  # already Monday in UTC
    assert morning[0]["created_at"] < "2025-09-07 01:00:00"
    assert evening[0]["created_at"][:10] == morning[0]["created_at"][:10] == "2025-09-07"


def test_the_day_windows_of_a_zone_with_summer_time_add_up_to_the_whole() -> None:
    source = GeneratedSource(
        Account(first_day=date(2025, 3, 8), days=3, chats_per_day=200, zone="America/New_York")
    )  # on Sunday the 9th the clock skips from 2 to 3
    days = [date(2025, 3, 8) + timedelta(days=day) for day in range(3)]
    windows = [all_chats(source, LONG_AFTER, created=Days(day, day), descending=False) for day in days]
    assert [{chat["created_at"][:10] for chat in window} for window in windows] == [{str(day)} for day in days]
    assert list(chain.from_iterable(windows)) == all_chats(source, LONG_AFTER, descending=False)


def test_the_same_parameters_make_the_same_account_and_another_seed_another() -> None:
    def first_page(seed: int) -> list[dict[str, Any]]:
        return GeneratedSource(Account(first_day=FIRST_DAY, days=3, seed=seed)).chats(ChatQuery(), MONTH_END).records

    assert first_page(1) == first_page(1)
    assert set(ids(first_page(1))).isdisjoint(ids(first_page(2)))


def test_chats_live_on_as_the_clock_moves_and_never_take_back_what_they_showed(
    at_month_end: list[dict[str, Any]], long_after: list[dict[str, Any]]
) -> None:
    grown = Counter[tuple[str, str]]()
    for before, after in zip(at_month_end, long_after, strict=True):
        grown[before["status"], after["status"]] += 1
        for moment in ("created_at", "opened_at", "picked_up_at", "responded_at", "closed_at"):
            assert before[moment] in (None, after[moment])
        said = [message for message in after["messages"] if message["created_at"] < "2025-10-01 00:00:00"]
        shown = [message for message in before["messages"] if message["created_at"] < "2025-10-01 00:00:00"]
        assert said in (shown, shown[1:])  # a broadcast may vanish
    assert grown["OPENED", "CLOSED"]
    assert grown["PICKED_UP", "CLOSED"]
    assert grown["RESPONDED_BY_AGENT", "CLOSED"]
    assert grown["COMPLETING_POLL", "ABANDONED_POLL"]
    assert len(at_month_end) - sum(grown[status, status] for status in {chat["status"] for chat in at_month_end}) > 200


def test_a_chat_is_not_there_before_it_is_created(month: GeneratedSource) -> None:
    noon = datetime(2025, 9, 10, 17, 0, tzinfo=UTC)
    seen = all_chats(month, noon, descending=False)
    assert all(chat["created_at"] <= "2025-09-10 12:00:00" for chat in seen)
    assert seen[-1]["created_at"] > "2025-09-10 11:00:00"
    assert all(message["created_at"] <= "2025-09-10 12:00:00" for chat in seen for message in chat["messages"])
    assert month.chats(ChatQuery(), datetime(2025, 8, 1, tzinfo=UTC)).total == 0


def test_a_month_looks_like_the_account_that_was_measured(
    at_month_end: list[dict[str, Any]], long_after: list[dict[str, Any]]
) -> None:
    assert {chat["status"] for chat in at_month_end} == {
        "BOT_CHATTING",
        "OPENED",
        "PICKED_UP",
        "RESPONDED_BY_AGENT",
        "CLOSED",
        "COMPLETING_POLL",
        "COMPLETED_POLL",
        "ABANDONED_POLL",
    }
    providers = Counter(chat["provider"] for chat in long_after)
    assert set(providers) == {"WHATSAPPB2CHAT", "LIVECHAT", "FACEBOOK", "TELEGRAM", "B2CBOTAPI", "INSTAGRAM"}
    assert providers["WHATSAPPB2CHAT"] > 0.85 * len(long_after)
    talks = [chat for chat in long_after if chat["messages"]]
    assert len(talks) / len(long_after) == pytest.approx(0.26, abs=0.03)
    messages = [message | {"chat": chat} for chat in talks for message in chat["messages"]]
    assert len(messages) / len(talks) == pytest.approx(20, abs=2)
    types = Counter(message["type"] for message in messages)
    assert set(types) == {"TEXT", "FILE", "AUDIO", "IMAGE", "STICKER", "VIDEO"}
    assert types["TEXT"] / len(messages) == pytest.approx(0.88, abs=0.02)
    early = sum(message["created_at"] < message["chat"]["created_at"] for message in messages)
    assert early / len(messages) == pytest.approx(0.25, abs=0.05)
    assert any(message["created_at"] > (message["chat"]["closed_at"] or "9") for message in messages)
    assert any(message["body"] is None for message in messages)
    assert any(message["broadcasted"] for message in messages)
    names = {type(chat["department"]) for chat in long_after}
    assert names == {str, type(None), dict}
    weekend = sum(datetime.fromisoformat(chat["created_at"]).weekday() >= 5 for chat in long_after)
    assert 0 < weekend / len(long_after) < 0.12


def test_the_sandbox_makes_and_filters_by_channels_that_have_a_name(long_after: list[dict[str, Any]]) -> None:
    made = {provider_slug(chat["provider"]) for chat in long_after}
    assert made <= set(channels())
    assert {chat_query({"messaging_provider": channel}).provider for channel in made} == made


def test_first_responses_are_as_heavy_tailed_as_the_measured_ones(long_after: list[dict[str, Any]]) -> None:
    waits = [seconds(chat, "opened_at", "responded_at") for chat in long_after if chat["responded_at"]]
    deciles = statistics.quantiles(waits, n=10)
    assert 1_400 < deciles[4] < 3_000  # measured: 2,096
    assert 40_000 < statistics.mean(waits) < 62_000  # 50,679
    assert 110_000 < deciles[8] < 175_000  # 141,594
    assert max(waits) <= 1_550_900


def test_each_chat_agrees_with_itself(long_after: list[dict[str, Any]]) -> None:
    for chat in long_after:
        moments = [chat[name] for name in ("created_at", "opened_at", "picked_up_at", "responded_at", "closed_at")]
        reached = [moment for moment in moments if moment]
        assert reached == sorted(reached)
        assert (chat["closed_at"] is not None) == (chat["status"] == "CLOSED" or "POLL" in chat["status"])
        if chat["closed_at"] is None:
            assert chat["duration"] is None
        else:
            days, hours, minutes, rest = map(int, chat["duration"].split(":"))
            open_seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest
            assert open_seconds == seconds(chat, "opened_at", "closed_at") <= 20 * 86400
        assert (chat["agent"] is None) == (chat["picked_up_at"] is None)
        times = [message["created_at"] for message in chat["messages"]]
        assert times == sorted(times)
        if chat["messages"] and chat["responded_at"]:
            replies = {message["created_at"] for message in chat["messages"] if not message["incoming"]}
            assert chat["responded_at"] in replies


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ({"provider": "telegram"}, lambda chat: chat["provider"] == "TELEGRAM"),
        ({"provider": "whatsapp"}, lambda chat: chat["provider"] == "WHATSAPPB2CHAT"),
        ({"contact_lookup": "LONDOÑO"}, lambda chat: "londoño" in chat["contact"]["name"].lower()),
        ({"contact_lookup": "+5700000012"}, lambda chat: "+5700000012" in chat["contact"]["mobile_number"]),
    ],
)
def test_a_filter_finds_what_looking_through_everything_finds(
    month: GeneratedSource, long_after: list[dict[str, Any]], query: dict[str, str], keep: Any
) -> None:
    found = all_chats(month, LONG_AFTER, descending=False, limit=500, **query)
    assert found == [chat for chat in long_after if keep(chat)]
    assert len(found) > 10


def test_the_contacts_are_those_of_the_chats_and_come_back(
    month: GeneratedSource, at_month_end: list[dict[str, Any]]
) -> None:
    contacts = {contact["contact_id"]: contact for contact in all_contacts(month, MONTH_END, descending=False)}
    first_chats: dict[int, str] = {}
    for chat in at_month_end:
        first_chats.setdefault(chat["contact"]["id"], chat["created_at"])
    assert first_chats == {contact_id: contact["created"] for contact_id, contact in contacts.items()}
    assert all(contacts[c["contact"]["id"]]["fullname"] == c["contact"]["name"] for c in at_month_end)
    assert len(contacts) / len(at_month_end) == pytest.approx(0.4, abs=0.01)


def test_the_windows_over_updated_add_up_and_move_with_the_clock(month: GeneratedSource) -> None:
    weeks = [FIRST_DAY + timedelta(days=day) for day in range(0, 63, 7)]
    windows = [all_contacts(month, LONG_AFTER, updated=Days(day, day + timedelta(days=6))) for day in weeks]
    found = [contact["contact_id"] for window in windows for contact in window]
    assert sorted(found) == sorted(contact["contact_id"] for contact in all_contacts(month, LONG_AFTER))
    then = {contact["contact_id"]: contact["updated"] for contact in all_contacts(month, MONTH_END)}
    later = {contact["contact_id"]: contact["updated"] for contact in all_contacts(month, LONG_AFTER)}
    assert sum(later[contact_id] > updated for contact_id, updated in then.items()) > 100


def test_one_page_of_two_million_chats_makes_one_page_of_chats(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Counter[str] = Counter()
    for owner, name in ((ChatLifecycles, "life"), (ArrivalProcess, "draw")):
        original = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *call, _made=original, _name=name: (made.update([_name]), _made(*call))[1]
        )
    source = GeneratedSource(Account(first_day=date(2020, 1, 1), days=2_000, chats_per_day=1_010))
    page = source.chats(ChatQuery(limit=500, offset=1_900_000), LONG_AFTER)
    assert len(page.records) == 500
    assert page.total > 2_000_000
    assert made["life"] == 500
    assert made["draw"] < 1_000


def test_dirty_text_comes_only_when_asked_for() -> None:
    source = GeneratedSource(Account(first_day=FIRST_DAY, days=3, dirty_share=0.2))
    bodies = [message["body"] or "" for chat in all_chats(source, LONG_AFTER) for message in chat["messages"]]
    assert any("\0" in body for body in bodies)
    assert any("\ud83d" in body for body in bodies)
    assert any(len(body) > 90_000 for body in bodies)


def test_nobody_in_the_data_is_real(at_month_end: list[dict[str, Any]]) -> None:
    for chat in at_month_end:
        assert chat["alias"].startswith("Sandbox")
        assert chat["contact"]["mobile_number"][:5] in ("", "+5700")
        assert chat["contact"]["email"].partition("@")[2] in ("", "example.test")
        assert chat["viewer_url"].startswith("https://viewer.example.test/")


@pytest.mark.parametrize(
    "wrong", [{"days": 0}, {"agents": 4}, {"silent_share": 1.5}, {"chats_per_day": 0}, {"messages_per_chat": 0}]
)
def test_an_account_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Account(**({"first_day": FIRST_DAY, "days": 1} | wrong))
