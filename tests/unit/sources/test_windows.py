"""Reading a window whole although offsets shift and envelopes lie, and saying so when it cannot be done."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.sources.b2chat.answers import Item
from dagster_project.sources.b2chat.windows import ExportPage, ResumePoint, Window, days, read_window
from dagster_project.sources.contract import Page
from tests.support.listed import chat

DAY = Window("chats", date(2025, 10, 1), date(2025, 10, 1))


class Server:
    """An export in memory. `before[n]` is done to its list before the n-th answer (from 1)."""

    def __init__(
        self,
        keys: list[str],
        *,
        limit: int = 3,
        total: int | None = None,
        exported: int | None = None,
        cap: int | None = None,
        before: dict[int, Any] | None = None,
    ) -> None:
        self.keys, self.limit, self.total, self.exported, self.cap = keys, limit, total, exported, cap
        self.before = before or {}
        self.offsets: list[int] = []

    def __call__(self, offset: int) -> ExportPage:
        self.offsets.append(offset)
        self.before.get(len(self.offsets), lambda keys: None)(self.keys)
        cut = self.keys[offset : offset + (self.cap or self.limit)]
        items = [Item(n, json.dumps(chat(key)), chat(key)) for n, key in enumerate(cut)]
        total = len(self.keys) if self.total is None else self.total
        return ExportPage(items, self.exported, total, offset, self.limit, 100, 5)


def read(server: Server, **options: Any) -> tuple[list[str], Page]:
    pages = list(read_window(DAY, server, **options))
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    return [record.key for page in pages for record in page.records], pages[-1]


def test_days_are_counted_with_both_ends() -> None:
    assert days(date(2024, 2, 28), date(2024, 3, 1)) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]


def test_all_pages_are_read_in_ascending_order_and_the_window_counts_as_whole() -> None:
    server = Server(list("abcdefg"))
    keys, last = read(server)
    assert keys == list("abcdefg")
    assert server.offsets == [0, 3, 6, 0, 3, 6]  # a second pass, that brings nothing new
    assert (last.is_complete, last.distinct, last.repeated) == (True, 7, 1)


def test_a_window_that_one_answer_holds_is_read_once() -> None:
    for keys, offsets in (("ab", [0]), ("abc", [0, 3])):  # a full page is followed up
        server = Server(list(keys))
        assert (read(server)[0], server.offsets) == (list(keys), offsets)


@pytest.mark.parametrize(
    ("records", "requests"), [(0, 1), (999, 1), (1000, 2), (1001, 4), (1999, 4), (2000, 6), (50_000, 102)]
)
def test_what_a_window_costs_in_requests(records: int, requests: int) -> None:
    server = Server([str(number) for number in range(records)], limit=1000)
    assert read(server)[1].is_complete
    assert len(server.offsets) == requests


def test_an_empty_window_is_one_page_and_whole() -> None:
    server = Server([])
    assert read(server)[1].is_complete
    assert server.offsets == [0]


def test_a_full_page_at_the_total_is_followed_up_because_the_total_may_be_too_low() -> None:
    assert read(Server(list("abcdefg"), total=3))[0] == list("abcdefg")


def test_exported_is_not_believed() -> None:
    for exported in (0, 1, 999, None):
        assert read(Server(list("abcdefg"), exported=exported))[1].is_complete


def test_a_server_that_gives_shorter_pages_than_asked_for_is_read_to_its_end() -> None:
    server = Server(list("abcdefg"), cap=2)
    assert read(server)[0] == list("abcdefg")
    assert server.offsets == [0, 2, 4, 6] * 2


def test_a_repeated_record_is_dropped_and_counted_and_the_missed_one_is_found_by_a_second_reading() -> None:
    # Before page 2, a record comes in at the head: "c" is given again, and "new" was never on a page.
    server = Server(list("abcde"), before={2: lambda keys: keys.insert(0, "new")})
    keys, last = read(server)
    assert set(keys) == {"a", "b", "c", "d", "e", "new"}
    assert (last.is_complete, last.distinct, last.duplicates) == (True, 6, 0)
    pages = list(read_window(DAY, Server(list("abcde"), before={2: lambda keys: keys.insert(0, "new")})))
    assert sum(page.duplicates for page in pages) == 2  # after the first one the next page overlaps by it
    assert ["confirming" in page.resume_point for page in pages if page.resume_point][:3] == [False, False, False]


def test_a_record_that_leaves_between_two_pages_does_not_hide_another() -> None:
    # "a" goes; "d" moves up past the reader. Five distinct of a total of five, and yet "d" was missed.
    server = Server(list("abcdef"), before={2: lambda keys: keys.remove("a")})
    keys, last = read(server)
    assert "d" in keys
    assert last.is_complete


def test_a_window_that_never_adds_up_is_read_twice_and_reported_not_whole() -> None:
    server = Server(list("abcd"), total=9)
    _, last = read(server)
    assert (last.is_complete, last.distinct) == (False, 4)
    assert server.offsets == [0, 3, 4, 0, 3, 4]


def test_a_row_that_goes_and_one_that_comes_while_paging_leave_the_total_equal_and_no_row_unread() -> None:
    def move(keys: list[str]) -> None:
        keys.remove("a")
        keys.append("z")

    # "d" moves up past the reader, and there are six distinct records of a total of six.
    server = Server(list("abcdef"), before={2: move})
    keys, last = read(server)
    assert set(keys) == set("abcdefz")
    assert (last.is_complete, last.keys, last.distinct) == (True, set("bcdefz"), 6)
    assert len(server.offsets) == 9  # three passes: the first two do not agree


@pytest.mark.parametrize("moving", [2, 5])
def test_a_window_that_moves_in_each_pass_is_not_fully_read(moving: int) -> None:
    def move(keys: list[str]) -> None:
        keys.append(f"new {len(keys)} {keys.pop(0)}")

    _, last = read(Server(list("abcdef"), before={moving: move, 8: move}))
    assert (last.is_complete, last.keys) == (False, None)


def test_records_that_come_at_the_tail_meanwhile_do_not_keep_a_window_unread() -> None:
    server = Server(list("abcd"), before={n: lambda keys: keys.append(f"new {len(keys)}") for n in (3, 5)})
    keys, last = read(server)
    assert (last.is_complete, last.keys, len(server.offsets)) == (True, set(server.keys), 4)
    assert keys == server.keys


@pytest.mark.parametrize(("total", "whole"), [(4, True), (5, False)])
def test_a_record_that_the_source_gives_twice_may_stand_in_the_place_of_another_unless_the_total_knows(
    total: int, whole: bool
) -> None:
    server = Server(list("abbcd"), total=total)
    keys, last = read(server)
    assert (set(keys), last.is_complete, last.distinct) == (set("abcd"), whole, 4)
    assert len(server.offsets) == 6  # a third pass could not see more than the second


class Crowded(Server):
    """Gives `crowd(rows)` in the place of the rows of a page."""

    def __init__(self, keys: list[str], crowd: Any) -> None:
        super().__init__(keys)
        self.crowd = crowd

    def __call__(self, offset: int) -> ExportPage:
        page = super().__call__(offset)
        return ExportPage(
            [Item(n, one.text, one.value) for n, one in enumerate(self.crowd(page.items))],
            None,
            page.total,
            offset,
            self.limit,
            100,
            5,
        )


@pytest.mark.parametrize(
    "crowd",
    [
        lambda rows: [*rows, *rows[-1:]],  # one row more than asked for
        lambda rows: [one for row in rows for one in (row, row)],  # every row twice
        lambda rows: [one for row in rows for one in (row, row)][: len(rows)],  # the same, and cut to the limit
    ],
)
def test_rows_that_come_twice_in_a_page_hide_none_behind_it(crowd: Any) -> None:
    keys, last = read(Crowded(list("abcdefg"), crowd))
    assert (set(keys), last.is_complete) == (set("abcdefg"), True)


def test_a_row_in_the_place_of_another_keeps_a_window_unread() -> None:
    a = Item(0, json.dumps(chat("a")), chat("a"))
    keys, last = read(Crowded(list("abcd"), lambda rows: [a if row.value["chat_id"] == "b" else row for row in rows]))
    assert (keys, last.is_complete, last.keys) == (["a", "c", "d"], False, None)


# Before the n-th answer, a record goes, comes, or moves to the end.
MOVES = st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["go", "come", "move"]), st.integers(0, 12)), max_size=5)


@given(st.integers(0, 11), MOVES, st.integers(1, 4))
def test_what_is_there_all_the_time_is_seen_by_a_reading_that_says_it_has_read_all(
    count: int, moves: list[tuple[int, str, int]], limit: int
) -> None:
    stays = {str(n) for n in range(count)}
    there = set(stays)

    def doing(kind: str, place: int) -> Any:
        def do(keys: list[str]) -> None:
            if kind == "come":
                there.add(f"new {len(there)}")
                keys.insert(place % (len(keys) + 1), f"new {len(there) - 1}")
            elif keys:
                keys.append(keys.pop(place % len(keys)))
                stays.discard(keys.pop() if kind == "go" else "")

        return do

    server = Server(sorted(stays, key=int), limit=limit, before={n: doing(kind, at) for n, kind, at in moves})
    keys, last = read(server)
    assert set(keys) <= there
    if last.is_complete:
        assert last.keys is not None and stays <= last.keys


def test_a_server_that_ignores_the_offset_does_not_hold_the_reader() -> None:
    class Same(Server):
        def __call__(self, offset: int) -> ExportPage:
            self.offsets.append(offset)
            return ExportPage(super().__call__(0).items, None, 1_000_000, offset, self.limit, 1, 1)

    _, last = read(Same(list("abc")))
    assert not last.is_complete


def test_records_without_a_key_count_as_seen() -> None:
    def fetch(offset: int) -> ExportPage:
        return ExportPage([Item(n, "null", None) for n in range(2)], 2, 2, offset, 3, 1, 1)

    (page,) = read_window(DAY, fetch)
    assert (page.is_complete, len(page.rejected)) == (True, 2)


def interrupted_after(server: Server, pages: int) -> ResumePoint:
    reading = read_window(DAY, server)
    page = [next(reading) for _ in range(pages)][-1]
    server.offsets.clear()
    point = ResumePoint.from_text(page.resume_point or "")
    assert point
    return point


def test_a_reading_goes_on_with_the_last_page_that_landed() -> None:
    server = Server(list("abcdefgh"))
    keys, last = read(server, after=interrupted_after(server, 2))
    assert set(keys) == set("abcdefgh")
    assert (last.is_complete, last.keys, server.offsets) == (True, set("abcdefgh"), [3, 6, 0, 3, 6])


def test_a_second_pass_goes_on_with_its_last_page_and_tells_of_no_record_that_it_is_gone() -> None:
    server = Server(list("abcdefgh"))
    _, last = read(server, after=interrupted_after(server, 5))
    assert (last.is_complete, last.keys, server.offsets) == (True, None, [3, 6])


@pytest.mark.parametrize("move", [lambda keys: keys.remove("a"), lambda keys: keys.insert(1, "z")])
def test_a_reading_starts_anew_when_records_have_moved_since_it_was_interrupted(move: Any) -> None:
    server = Server(list("abcdefgh"))
    point = interrupted_after(server, 2)
    move(server.keys)
    keys, last = read(server, after=point)
    assert keys == server.keys
    assert (last.is_complete, last.keys, server.offsets[:2]) == (True, set(server.keys), [3, 0])
