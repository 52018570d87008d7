"""One page is read ahead of the one that lands: never more, in order, and nothing is swallowed."""

import threading
import time
from collections.abc import Iterator

import pytest

from dagster_project.ingestion.prefetch import prefetch


def test_items_come_in_order_and_no_more_than_one_is_made_ahead() -> None:
    made: list[int] = []
    third = threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            if number == 2:
                third.set()
            yield number

    taken = []
    for number in prefetch(numbers()):
        if number == 1:
            assert third.wait(5)  # made while this one is at hand
        assert len(made) <= number + 2
        taken.append(number)
    assert taken == made == [0, 1, 2, 3, 4]


def test_an_error_comes_after_all_items_that_were_made_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise ZeroDivisionError

    ahead = prefetch(broken())
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(ZeroDivisionError):
        next(ahead)


def test_an_early_end_asks_for_nothing_more_and_ends_the_thread() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    ahead = prefetch(numbers())
    assert next(ahead) == 0
    ahead.close()
    assert len(made) <= 2
    assert "one ahead" not in {thread.name for thread in threading.enumerate()}


def test_after_an_item_that_must_be_alone_the_next_is_made_when_the_caller_is_done_with_it() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(3):
            made.append(number)
            yield number

    for number in prefetch(numbers(), alone=lambda item: item == 1):
        time.sleep(0.2)
        assert made == [0, 1] if number == 1 else len(made) == min(number + 2, 3)
