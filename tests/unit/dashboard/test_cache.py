"""Pages are made once for a state of the marts, and never fill the memory."""

import threading

import pytest

from dagster_project.dashboard.cache import FRESH_SECONDS, STALE_SECONDS, PageCache


def test_a_page_is_fresh_until_the_marts_or_the_minute_change() -> None:
    clock = [0.0]
    cache = PageCache(now=lambda: clock[0])
    cache.make("sla", "build 1", lambda: b"one")
    assert cache.fresh("sla", "build 1") == b"one"
    assert cache.fresh("sla", "build 2") is None
    assert cache.stale("sla") == b"one"  # shown while the new one is made
    clock[0] = FRESH_SECONDS + 1.0
    assert cache.fresh("sla", "build 1") is None
    clock[0] = STALE_SECONDS + 1.0
    assert cache.stale("sla") is None


def test_the_pages_that_nobody_asked_for_lately_go_first() -> None:
    cache = PageCache(max_bytes=10)
    cache.make("old", 1, lambda: b"12345")
    cache.make("used", 1, lambda: b"12345")
    assert cache.fresh("old", 1)
    cache.make("new", 1, lambda: b"1234")
    assert [cache.fresh(key, 1) for key in ("old", "used", "new")] == [b"12345", None, b"1234"]
    cache.make("old", 2, lambda: b"1")  # takes the place of what was there
    cache.make("more", 1, lambda: b"12345")
    assert cache.fresh("new", 1) == b"1234"


def test_many_who_ask_at_once_make_a_page_once() -> None:
    cache, calls, go = PageCache(), [], threading.Event()

    def make() -> bytes:
        calls.append(1)
        go.wait(5)
        return b"page"

    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(cache.make("k", 1, make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(5)
    assert answers == [b"page"] * 8
    assert len(calls) == 1


def test_a_page_that_cannot_be_made_is_tried_again() -> None:
    def fail() -> bytes:
        raise LookupError

    cache = PageCache()
    with pytest.raises(LookupError):
        cache.make("k", 1, fail)
    assert cache.make("k", 1, lambda: b"page") == b"page"
