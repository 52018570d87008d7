"""Reading a window whole although offsets shift and envelopes lie, and saying so when it cannot be done."""

import json
from datetime import date
from typing import Any

import pytest

from dagster_project.b2chat.answers import Item
from dagster_project.b2chat.windows import Landmark, Page, Window, WindowPage, days, read_window
from tests.listed import chat

DAY = Window("chats", date(2025, 10, 1), date(2025, 10, 1))


class Server:
    """An export in memory. `before[n]` is done to its list before the n-th answer (from 1)."""

    def __init__(self, keys: list[str], *, limit: int = 3, total: int | None = None, exported: int | None = None,
                 cap: int | None = None, before: dict[int, Any] | None = None) -> None:
        self.keys, self.limit, self.total, self.exported, self.cap = keys, limit, total, exported, cap
        self.before = before or {}
        self.offsets: list[int] = []

    def __call__(self, offset: int) -> Page:
        self.offsets.append(offset)
        self.before.get(len(self.offsets), lambda keys: None)(self.keys)
        cut = self.keys[offset : offset + (self.cap or self.limit)]
        items = [Item(n, json.dumps(chat(key)), chat(key)) for n, key in enumerate(cut)]
        total = len(self.keys) if self.total is None else self.total
        return Page(items, self.exported, total, offset, self.limit, 100, 5)


def read(server: Server, **options: Any) -> tuple[list[str], WindowPage]:
    pages = list(read_window(DAY, server, **options))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    return [record.key for page in pages for record in page.records], pages[-1]


def test_days_are_counted_with_both_ends() -> None:
    assert days(date(2024, 2, 28), date(2024, 3, 1)) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]


def test_all_pages_are_read_in_ascending_order_and_the_window_counts_as_whole() -> None:
    server = Server(list("abcdefg"))
    keys, last = read(server)
    assert keys == list("abcdefg")
    assert server.offsets == [0, 3, 6]
    assert (last.whole, last.distinct) == (True, 7)


def test_an_empty_window_is_one_page_and_whole() -> None:
    server = Server([])
    assert read(server)[1].whole
    assert server.offsets == [0]


def test_a_full_page_at_the_total_is_followed_up_because_the_total_may_be_too_low() -> None:
    assert read(Server(list("abcdefg"), total=3))[0] == list("abcdefg")


def test_exported_is_not_believed() -> None:
    for exported in (0, 1, 999, None):
        assert read(Server(list("abcdefg"), exported=exported))[1].whole


def test_a_server_that_gives_shorter_pages_than_asked_for_is_read_to_its_end() -> None:
    server = Server(list("abcdefg"), cap=2)
    assert read(server)[0] == list("abcdefg")
    assert server.offsets == [0, 2, 4, 6]


def test_a_repeated_record_is_dropped_and_counted_and_the_missed_one_is_found_by_a_second_reading() -> None:
    # Before page 2, a record comes in at the head: "c" is given again, and "new" was never on a page.
    server = Server(list("abcde"), before={2: lambda keys: keys.insert(0, "new")})
    keys, last = read(server)
    assert set(keys) == {"a", "b", "c", "d", "e", "new"}
    assert (last.whole, last.distinct, last.duplicates) == (True, 6, 0)
    pages = list(read_window(DAY, Server(list("abcde"), before={2: lambda keys: keys.insert(0, "new")})))
    assert sum(page.duplicates for page in pages) == 1


def test_a_record_that_leaves_between_two_pages_does_not_hide_another() -> None:
    # "a" goes; "d" moves up past the reader. Five distinct of a total of five, and yet "d" was missed.
    server = Server(list("abcdef"), before={2: lambda keys: keys.remove("a")})
    keys, last = read(server)
    assert "d" in keys
    assert last.whole


def test_a_window_that_never_adds_up_is_read_twice_and_reported_not_whole() -> None:
    server = Server(list("abcd"), total=9)
    _, last = read(server)
    assert (last.whole, last.distinct) == (False, 4)
    assert server.offsets == [0, 3, 4, 0, 3, 4]


def test_records_that_the_source_itself_gives_twice_do_not_keep_a_window_unread() -> None:
    keys, last = read(Server(list("abbcd")))
    assert (last.whole, last.distinct) == (True, 4)
    assert set(keys) == set("abcd")


def test_a_server_that_ignores_the_offset_does_not_hold_the_reader() -> None:
    class Same(Server):
        def __call__(self, offset: int) -> Page:
            self.offsets.append(offset)
            return Page(super().__call__(0).items, None, 1_000_000, offset, self.limit, 1, 1)

    _, last = read(Same(list("abc")))
    assert not last.whole


def test_records_without_a_key_count_as_seen() -> None:
    def fetch(offset: int) -> Page:
        return Page([Item(n, "null", None) for n in range(2)], 2, 2, offset, 3, 1, 1)

    page, = read_window(DAY, fetch)
    assert (page.whole, len(page.rejected)) == (True, 2)


def broken_off_after(server: Server, pages: int) -> Landmark:
    reading = read_window(DAY, server)
    page = [next(reading) for _ in range(pages)][-1].page
    server.offsets.clear()
    return Landmark(page.offset, page.keys_digest("chats"), page.total)


def test_a_reading_goes_on_with_the_last_page_that_landed() -> None:
    server = Server(list("abcdefgh"))
    keys, last = read(server, after=broken_off_after(server, 2))
    assert keys == list("defgh")
    assert (last.whole, last.keys, server.offsets) == (True, None, [3, 6])


@pytest.mark.parametrize("move", [lambda keys: keys.remove("a"), lambda keys: keys.insert(1, "z")])
def test_a_reading_starts_anew_when_records_have_moved_since_it_was_broken_off(move: Any) -> None:
    server = Server(list("abcdefgh"))
    landmark = broken_off_after(server, 2)
    move(server.keys)
    keys, last = read(server, after=landmark)
    assert keys == server.keys
    assert (last.whole, last.keys, server.offsets[:2]) == (True, set(server.keys), [3, 0])
