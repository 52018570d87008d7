"""What the client bears, how long it waits, and what it asks for."""

import socket
import threading
import time as real_time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.sources.b2chat.errors import (
    BadAnswer,
    PermanentError,
    TransientError,
    Unreachable,
)
from dagster_project.sources.b2chat.retries import retry_after_seconds
from dagster_project.sources.b2chat.sandbox.faults import (
    Answer,
    Change,
    Fault,
    FaultPlan,
    cut_short,
    delayed,
    fails,
    html,
    nul_in_text,
)
from dagster_project.sources.b2chat.sandbox.parameters import BadParameter
from dagster_project.sources.b2chat.sandbox.source import ChatQuery, ContactQuery, Days, Page
from dagster_project.sources.contract import QuotaExhausted
from tests.support.listed import CLIENT_ID, SECRET, FakeTime, ListedSource, chat, client_of, contact, serving

DAY, ONE_DAY = date(2025, 10, 1), timedelta(days=1)
CHATS = "/chats/export"
NOW = datetime(2025, 10, 1, 12, tzinfo=UTC)


def gzip_that_is_none() -> Change:
    return lambda answer: Answer(200, b"not gzip", {"content-encoding": "gzip"})


@pytest.mark.parametrize(
    "change",
    [
        fails(500),
        fails(502),
        fails(503),
        fails(429),
        fails(408),
        cut_short(),
        html(),
        gzip_that_is_none(),
        lambda _: Answer(200, b"", {}),
        lambda answer: Answer(200, answer.body[:-9], {}),
    ],
)
def test_a_passing_failure_is_borne(change: Change) -> None:
    faults = FaultPlan(Fault(CHATS, change, times=2))
    with serving(ListedSource([chat("a")]), faults=faults) as sandbox, client_of(sandbox) as client:
        assert [item.value["chat_id"] for item in client.chats(DAY, DAY).items] == ["a"]
        assert sandbox.requests[CHATS] == 3


@pytest.mark.parametrize(("change", "kind"), [(fails(500), TransientError), (html(), BadAnswer)])
def test_a_lasting_failure_is_given_up_after_the_attempts(change: Change, kind: type[Exception]) -> None:
    faults = FaultPlan(Fault(CHATS, change, times=99))
    with serving(ListedSource(), faults=faults) as sandbox, client_of(sandbox, max_attempts=4) as client:
        with pytest.raises(kind, match="after 4 attempts"):
            client.chats(DAY, DAY)
        assert sandbox.requests[CHATS] == 4


@pytest.mark.parametrize("status", [301, 403, 404, 405, 418])
def test_other_refusals_are_never_repeated(status: int) -> None:
    faults = FaultPlan(Fault(CHATS, fails(status), times=99))
    with serving(ListedSource(), faults=faults) as sandbox, client_of(sandbox) as client:
        with pytest.raises(PermanentError, match=f"HTTP {status}"):
            client.chats(DAY, DAY)
        assert sandbox.requests[CHATS] == 1


@pytest.mark.parametrize("status", [400, 422])
def test_parameters_that_are_refused_are_not_sent_again(status: int) -> None:
    faults = FaultPlan(Fault(CHATS, fails(status), nth=2, times=99))
    with serving(ListedSource([chat("a")]), faults=faults) as sandbox, client_of(sandbox) as client:
        client.chats(DAY, DAY)
        with pytest.raises(PermanentError, match=f"HTTP {status}"):
            client.chats(DAY, DAY)
        assert sandbox.requests[CHATS] == 2


class LastDayLeftOut(ListedSource):
    """Takes a range's last day as its end: a range of one day is empty."""

    def chats(self, query: ChatQuery, now: datetime) -> Page:
        last = query.created.last
        return super().chats(replace(query, created=Days(query.created.first, last - ONE_DAY if last else None)), now)


class OneDayRefused(LastDayLeftOut):
    """Wants a range to begin before it ends, as B2Chat's documentation says."""

    def chats(self, query: ChatQuery, now: datetime) -> Page:
        if query.created.first == query.created.last:
            raise BadParameter("from must be before to")
        return super().chats(query, now)


@pytest.mark.parametrize(("kind", "requests"), [(ListedSource, 5), (LastDayLeftOut, 6), (OneDayRefused, 5)])
def test_each_day_is_read_whether_or_not_a_range_counts_its_last_day_in(
    kind: type[ListedSource], requests: int
) -> None:
    source = kind([chat("b", "2025-10-02"), chat("c", "2025-10-03"), chat("d", "2025-10-04")])
    with serving(source) as sandbox, client_of(sandbox) as client:
        read = [
            [item.value["chat_id"] for item in client.chats(day, day).items]
            for day in (DAY + n * ONE_DAY for n in range(4))
        ]
        assert read == [[], ["b"], ["c"], ["d"]]
        assert sandbox.requests[CHATS] == requests


def test_retry_after_is_honoured_up_to_a_minute_and_the_waits_grow_without_it() -> None:
    time = FakeTime()
    faults = FaultPlan(
        Fault(CHATS, fails(429, retry_after=7)),
        Fault(CHATS, fails(429, retry_after=3600), nth=2),
        Fault(CHATS, fails(500), nth=3, times=3),
    )
    with (
        serving(ListedSource(), faults=faults) as sandbox,
        client_of(sandbox, clock=time.clock, sleep=time.sleep, requests_per_second=1000) as client,
    ):
        client.chats(DAY, DAY)
    asked, capped, *grown = [nap for nap in time.naps if nap > 0.1]
    assert (asked, capped) == (7, 60)
    for nap, longest in zip(grown, (4, 8, 16), strict=True):
        assert longest / 2 <= nap <= longest


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "Wed, 01 Oct 2025 12:00:30 GMT"}, 30),
        ({"retry-after": "Wed, 01 Oct 2025 11:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
        ({}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-5"}, None),
        # The server's clock is an hour ahead of ours: only its own two dates tell how long it means.
        ({"retry-after": "Wed, 01 Oct 2025 13:00:05 GMT", "date": "Wed, 01 Oct 2025 13:00:00 GMT"}, 5),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers, NOW) == seconds


def closed_port() -> tuple[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}", "connection refused"


def unknown_host() -> tuple[str, str]:
    return "nobody.invalid", "name or service not known"


def black_hole(sockets: ExitStack) -> tuple[str, str]:
    """A port whose queue is full: nobody refuses, nobody answers."""
    listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(4):
        visitor = sockets.enter_context(socket.socket())
        visitor.setblocking(False)
        visitor.connect_ex(listener.getsockname())
    return f"127.0.0.1:{listener.getsockname()[1]}", "timed out"


def no_such_name(*_: Any, **__: Any) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize("kind", ["closed port", "unknown host", "black hole"])
def test_who_cannot_be_reached_is_named_after_three_tries_in_seconds(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as sockets:
        place, reason = {"closed port": closed_port, "unknown host": unknown_host}.get(
            kind, lambda: black_hole(sockets)
        )()
        if kind == "unknown host":
            monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
        for most, tries in ((3, " after 3 attempts"), (1, "")):
            time = FakeTime()
            with (
                B2ChatClient(
                    f"http://{place}",
                    CLIENT_ID,
                    SECRET,
                    max_connect_attempts=most,
                    timeout_seconds=0.2,
                    clock=time.clock,
                    sleep=time.sleep,
                ) as client,
                pytest.raises(Unreachable) as failed,
            ):
                client.origin()
            assert str(failed.value) == f"POST /oauth/token: {place} cannot be reached: {reason}{tries}"
            assert time.now - 1000 <= 1 + 2 + 2 * 0.2  # two naps, of up to 1 and 2 s; requests are 0.2 s apart


def test_a_connection_that_is_lost_on_the_way_is_tried_as_often_as_any_passing_failure() -> None:
    with serving(ListedSource([chat("a")])) as sandbox:
        client = client_of(sandbox, max_attempts=5)
        client.chats(DAY, DAY)
    with client, pytest.raises(TransientError, match=r"cannot be reached: .* after 5 attempts") as failed:
        client.chats(DAY, DAY)
    assert not isinstance(failed.value, Unreachable)


def test_an_answer_that_is_too_slow_is_a_transient_error() -> None:
    faults = FaultPlan(Fault(CHATS, delayed(0.8)))
    with (
        serving(ListedSource(), faults=faults) as sandbox,
        client_of(sandbox, max_attempts=1, timeout_seconds=0.2) as client,
        pytest.raises(TransientError, match=r"no answer from 127\.0\.0\.1:\d+ in time"),
    ):
        client.chats(DAY, DAY)


@pytest.mark.parametrize(
    "begun",
    [
        "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: ",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;x=",
    ],
)
def test_an_answer_that_drips_in_for_ever_is_given_up(begun: str) -> None:
    with (
        dripping(begun.encode()) as address,
        B2ChatClient(address, CLIENT_ID, SECRET, max_attempts=1, timeout_seconds=0.05) as client,
        pytest.raises(TransientError, match="dripped"),
    ):
        client.origin()


def test_requests_are_spaced() -> None:
    time = FakeTime()
    with (
        serving(ListedSource([chat("a")])) as sandbox,
        client_of(sandbox, clock=time.clock, sleep=time.sleep, requests_per_second=5) as client,
    ):
        for _ in range(10):  # eleven requests with the token's
            client.chats(DAY, DAY)
    assert time.now - 1000.0 == pytest.approx(10 * 0.2)


def test_each_attempt_draws_on_the_quota_and_none_is_sent_without_it() -> None:
    class Three:
        left = 3

        def take(self) -> bool:
            self.left -= 1
            return self.left >= 0

    faults = FaultPlan(Fault(CHATS, fails(500), times=99))
    with serving(ListedSource(), faults=faults) as sandbox, client_of(sandbox, quota=Three()) as client:
        with pytest.raises(QuotaExhausted, match="quota of requests is used up"):
            client.chats(DAY, DAY)
        assert (sandbox.requests["/oauth/token"], sandbox.requests[CHATS]) == (1, 2)


def test_chats_are_asked_for_in_ascending_order_by_creation_day() -> None:
    source = ListedSource([chat("a"), chat("b"), chat("c"), chat("d", "2025-10-02")])
    with serving(source) as sandbox, client_of(sandbox, page_size=2) as client:
        page = client.chats(DAY, DAY, offset=1)
    assert source.queries == [ChatQuery(limit=2, offset=1, descending=False, created=Days(DAY, DAY))]
    assert ([item.value["chat_id"] for item in page.items], page.exported, page.total) == (["b", "c"], 2, 3)
    assert page.response_bytes > 100


def test_contacts_are_asked_for_with_their_tags_and_attributes() -> None:
    source = ListedSource(contacts=[contact(1)])
    with serving(source) as sandbox, client_of(sandbox) as client:
        client.contacts()
        client.contacts(DAY)
        client.contacts(DAY, by="created")
    asked: dict[str, Any] = {
        "limit": 1000,
        "offset": 0,
        "descending": False,
        "with_tags": True,
        "with_custom_attributes": True,
    }
    assert source.queries == [
        ContactQuery(**asked),
        ContactQuery(**asked, updated=Days(DAY)),
        ContactQuery(**asked, created=Days(DAY)),
    ]


@pytest.mark.parametrize("raw", [False, True])
def test_a_nul_in_a_message_does_not_cost_the_page(raw: bool) -> None:
    message = {"created_at": "2025-10-01 09:00:00", "type": "TEXT", "body": "x"}
    faults = FaultPlan(Fault(CHATS, nul_in_text(raw=raw)))
    with serving(ListedSource([chat("a", messages=[message])]), faults=faults) as sandbox, client_of(sandbox) as client:
        (item,) = client.chats(DAY, DAY).items
    assert item.value["messages"][0]["body"] == "x\x00"
    assert (b"\x00" if raw else b"\\u0000") in item.data


@contextmanager
def dripping(begun: bytes) -> Iterator[str]:
    """A server that begins its answer so, and goes on by one byte every 20 ms."""
    done = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(begun)
            while not done.is_set():
                try:
                    connection.sendall(b" ")
                except OSError:
                    return
                real_time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            thread.join(5)
