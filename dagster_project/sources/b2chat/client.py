"""The HTTP client of B2Chat's two exports: tokens, pace, quota, retries. It returns pages, or a `B2ChatError`."""

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar

import httpx
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from dagster_project.sources.b2chat.answers import Envelope, Item, UnreadableAnswer, read_envelope
from dagster_project.sources.b2chat.errors import (
    AuthenticationFailed,
    BadAnswer,
    BadRequest,
    TransientError,
    Unreachable,
)
from dagster_project.sources.b2chat.exchange import (
    MAX_ANSWER_BYTES,
    Call,
    Reply,
    Token,
    TooLarge,
    Unauthorized,
    basic_credentials,
    body_of,
    is_of_day,
    query_of,
    require_success,
)
from dagster_project.sources.b2chat.reader import AnswerReader
from dagster_project.sources.b2chat.records import Entity
from dagster_project.sources.b2chat.retries import Pace, TryAgain, failure, wait
from dagster_project.sources.b2chat.windows import ExportPage, Window
from dagster_project.sources.contract import Origin, QuotaExhausted

log = logging.getLogger(__name__)

MAX_PAGE_SIZE = 1000
MAX_RECORD_BYTES = 64 * 2**20  # of an answer that is one record; what is larger goes to quarantine unread
MAX_CONNECT_SECONDS = 10.0
SANDBOX_HEADER = "x-b2chat-sandbox"
_TOKEN_ENDPOINT = "POST /oauth/token"
_T = TypeVar("_T")


class Quota(Protocol):
    """A day's allowance of requests."""

    def take(self) -> bool:
        """Take one request from what is left of the day; False when nothing is left."""
        ...

    def left(self) -> int | None:
        """How many requests are left of the day, as of the last one taken; None before that."""
        ...


class B2ChatClient:
    """A client of one B2Chat account. Use it as a context manager; not for several threads at once.

    Args:
        base_url: for instance https://api.b2chat.io; no user, no password in it.
        requests_per_second: requests are spaced so that there are never more.
        quota: where each request is counted against the day's allowance; None for no limit.
        timeout_seconds: between two pieces of an answer, and (10 at most) to connect; a whole answer may take ten times
            that.
        max_attempts: tries for one request, the first included.
        max_connect_attempts: of those, how many where no connection comes about before anybody has ever answered.
        page_size: records a page, at most 1000.
        clock, sleep: monotonic seconds and waiting, for tests.
    """

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: SecretStr | str,
        *,
        requests_per_second: float = 5,
        quota: Quota | None = None,
        timeout_seconds: float = 60,
        max_attempts: int = 6,
        max_connect_attempts: int = 3,
        page_size: int = MAX_PAGE_SIZE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        address = httpx.URL(base_url)
        if address.scheme not in ("http", "https") or not address.host or address.userinfo:
            raise ValueError("base_url must be an http(s) address without user and password")
        # httpx writes whole URLs, queries included, to its log.
        for noisy in ("httpx", "httpcore"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self.base_url = str(address).rstrip("/")
        self.page_size = min(page_size, MAX_PAGE_SIZE)
        self._credentials = SecretStr(basic_credentials(client_id, client_secret))
        self._http = httpx.Client(
            base_url=self.base_url,
            follow_redirects=False,
            mounts={"http://": None},  # only this machine is spoken to so: HTTP_PROXY would read what is for it
            timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, MAX_CONNECT_SECONDS)),
            headers={"accept": "application/json", "user-agent": "b2chat-analytics"},
        )
        self._timeout_seconds = timeout_seconds
        self._place = address.netloc.decode("ascii")
        self._max_attempts, self._max_connect_attempts = max_attempts, min(max_attempts, max_connect_attempts)
        self._quota = quota
        self._reader = AnswerReader()
        self._pace = Pace(1 / requests_per_second, clock, sleep)
        self._clock, self._sleep = clock, sleep
        self._connection: Any = None  # the newest stream of httpx: there is one at a time
        self._token: Token | None = None
        self._origin: Origin | None = None
        self._last_day_counts: bool | None = None
        self._records_that_fit = MAX_PAGE_SIZE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, and end the process that reads answers."""
        self._http.close()
        self._reader.close()

    def origin(self) -> Origin:
        """Who answers at the other end. Asks for a token if nothing has been asked yet. Raises B2ChatError."""
        if self._origin is None:
            self._bearer()
        assert self._origin is not None
        return self._origin

    def quota_left(self) -> int | None:
        """How many requests are left of the day; None where there is no limit, or nothing was asked yet."""
        return self._quota.left() if self._quota else None

    def chats(self, day_from: date, day_to: date, offset: int = 0, limit: int | None = None) -> ExportPage:
        """A page of the chats created from `day_from` to `day_to` (both included), oldest first.

        Raises:
            B2ChatError: one of its kinds, which says whether trying later can help.
        """
        return self.page(Window("chats", day_from, day_to), offset, limit)

    def contacts(
        self,
        day_from: date | None = None,
        day_to: date | None = None,
        offset: int = 0,
        limit: int | None = None,
        *,
        by: Literal["created", "updated"] = "updated",
    ) -> ExportPage:
        """A page of the contacts created or updated in these days (None: no limit), with tags and attributes.

        Raises:
            B2ChatError: one of its kinds, which says whether trying later can help.
        """
        return self.page(Window("contacts", day_from, day_to, by), offset, limit)

    def page(self, window: Window, offset: int = 0, limit: int | None = None) -> ExportPage:
        """The page of a window that starts at `offset`. Raises B2ChatError."""
        limit = min(limit or self.page_size, MAX_PAGE_SIZE)
        if window.entity == "chats" and window.day_from and window.day_from == window.day_to:
            return self._page_of_day(window.day_from, offset, limit)
        return self._page(window, offset, limit)

    def _page_of_day(self, day: date, offset: int, limit: int) -> ExportPage:
        """A page of one day's chats, whether or not B2Chat counts a range's last day in.

        Its documentation does not say, and wants `from` to be before `to`. If that means that a range of one day is
        refused, or is always empty, the range has to end on the next day. The first day that has chats shows it.
        """
        narrow: ExportPage | None = None
        if self._last_day_counts is not False:
            try:
                narrow = self._page(Window("chats", day, day), offset, limit)
            except BadRequest:
                if self._last_day_counts:
                    raise
            if narrow and (narrow.total or self._last_day_counts):
                self._last_day_counts = True
                return narrow
        wide = self._page(Window("chats", day, day + timedelta(days=1)), offset, limit)
        if narrow and not any(is_of_day(day, item.value) for item in wide.items):
            return narrow
        if self._last_day_counts is None:
            log.info("B2Chat: a range of days does not count its last day in; asking for one day more")
            self._last_day_counts = False
        return wide

    def _page(self, window: Window, offset: int, limit: int) -> ExportPage:
        """The page, or its beginning where it is more than an answer may hold."""
        while True:
            fewer = min(limit, self._records_that_fit)
            try:
                page = self._page_of(window, offset, fewer)
            except TooLarge as fault:
                log.warning("B2Chat: %s, offset %d: %d records have %s", window, offset, fewer, fault)
                if fewer == 1:
                    return self._page_without(window, offset, fault)
                self._records_that_fit = max(1, fewer // 4)
                fault.with_traceback(None)  # it and tenacity hold each other, and by this frame the page to come
            else:
                self._records_that_fit = max(self._records_that_fit, fewer * 2)
                return page

    def _page_without(self, window: Window, offset: int, fault: TooLarge) -> ExportPage:
        """A page of one record that is too large to be read: it counts, and goes to quarantine without its content."""
        log.warning("B2Chat: %s, offset %d: the record is not read", window, offset)
        place = json.dumps(f"{window.entity}, {window}, offset {offset}: a record of {fault}")
        total = self._page(window, offset + 1, 1).total
        return ExportPage([Item(0, place, None, "record_too_large")], 1, total, offset, 1, 0, 0)

    def _page_of(self, window: Window, offset: int, limit: int) -> ExportPage:
        most = MAX_RECORD_BYTES if limit == 1 else MAX_ANSWER_BYTES
        call = Call(f"GET /{window.entity}/export", f"{window}, offset {offset}", most)
        query = query_of(window, offset, limit)
        for _ in ("with the token at hand", "with a new one"):
            try:
                return self._with_retries(call, partial(self._read_page, call, window.entity, query, self._bearer()))
            except Unauthorized:
                log.info("B2Chat: the token was refused before its time")
                self._token = None
        raise AuthenticationFailed("a new token was refused as well (HTTP 401)", call.endpoint, call.window)

    def _read_page(self, call: Call, entity: Entity, query: Mapping[str, Any], bearer: str) -> ExportPage:
        reply = self._send(call, "GET", f"/{entity}/export", params=query, headers={"authorization": bearer})
        if reply.status == 401:
            raise Unauthorized
        require_success(reply, call)
        # Until a day has shown how B2Chat counts a range's last day, its records are looked at as they came.
        read = self._reader.read(reply.body, entity) if entity == "contacts" or self._last_day_counts else None
        try:
            envelope = Envelope([], read.exported, read.total) if read else read_envelope(reply.body, entity)
        except UnreadableAnswer as fault:
            raise TryAgain(str(fault), unreadable=True) from None
        self._note_origin(reply)
        return ExportPage(
            envelope.items,
            envelope.exported,
            envelope.total,
            query["offset"],
            query["limit"],
            len(reply.body),
            reply.milliseconds,
            reply.body,
            query,
            datetime.now(UTC) - timedelta(milliseconds=reply.milliseconds),
            read,
        )

    def _bearer(self) -> str:
        if self._token is None or self._clock() >= self._token.renew_at:
            self._token = self._with_retries(Call(_TOKEN_ENDPOINT), self._ask_for_token)
        return f"Bearer {self._token.value.get_secret_value()}"

    def _ask_for_token(self) -> Token:
        call = Call(_TOKEN_ENDPOINT)
        reply = self._send(
            call,
            "POST",
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            headers={"authorization": f"Basic {self._credentials.get_secret_value()}"},
        )
        if reply.status in (400, 401, 403):
            raise AuthenticationFailed(f"the client id or secret was refused (HTTP {reply.status})", call.endpoint)
        require_success(reply, call)
        try:
            answer = json.loads(reply.body)
            value, seconds = answer["access_token"], answer.get("expires_in")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise TryAgain("the answer holds no token", unreadable=True) from None
        if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
            raise TryAgain("the answer holds no usable token", unreadable=True)
        self._note_origin(reply)
        left = float(seconds) if re.fullmatch(r"\d{1,9}", str(seconds), re.ASCII) else 3600.0
        log.info("B2Chat: signed in; the token is good for %.0f minutes", left / 60)
        # B2Chat hands the same token out until it dies, so asking a fixed minute early could ask for ever.
        return Token(SecretStr(value), self._clock() + left - min(60.0, left / 2))

    def _with_retries(self, call: Call, attempt: Callable[[], _T]) -> _T:
        retrying = Retrying(
            stop=lambda state: state.attempt_number >= self._max_attempts_of(failure(state)),
            retry=retry_if_exception_type(TryAgain),
            wait=wait,
            sleep=self._sleep,
            reraise=True,
            before_sleep=lambda state: self._say(call, state),
        )
        try:
            return retrying(attempt)
        except TryAgain as last:
            kind = BadAnswer if last.unreadable else Unreachable if last.unreachable else TransientError
            attempts = retrying.statistics["attempt_number"]
            raise kind(last.cause, call.endpoint, call.window, attempts) from None

    def _max_attempts_of(self, fault: TryAgain) -> int:
        return self._max_connect_attempts if fault.unreachable else self._max_attempts

    def _say(self, call: Call, state: RetryCallState) -> None:
        fault = failure(state)
        fault.with_traceback(None)  # its frames hold tenacity's, and so the answer to come
        log.info(
            "B2Chat: %s %s: %s; attempt %d of %d in %.1f s",
            call.endpoint,
            call.window,
            fault.cause,
            state.attempt_number + 1,
            self._max_attempts_of(fault),
            state.next_action.sleep if state.next_action else 0,
        )

    def _send(self, call: Call, method: str, path: str, **parts: Any) -> Reply:
        if self._quota is not None and not self._quota.take():
            raise QuotaExhausted("the day's quota of requests is used up", call.endpoint, call.window)
        self._pace.wait()
        started, late = self._clock(), threading.Event()
        try:
            with (
                self._cut_off_in_time(late),
                self._http.stream(method, path, extensions={"trace": self._note_connection}, **parts) as response,
            ):
                body = body_of(response, call.max_bytes)
        except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
            reason = str(fault).partition("] ")[2] or str(fault) or type(fault).__name__
            raise TryAgain(f"{self._place} cannot be reached: {reason.lower()}", unreachable=not self._origin) from None
        except httpx.TimeoutException as fault:
            raise TryAgain(f"no answer from {self._place} in time ({type(fault).__name__})") from None
        except (httpx.TransportError, httpx.DecodingError) as fault:
            if not late.is_set():
                raise TryAgain(f"the connection to {self._place} failed ({type(fault).__name__})") from None
        if late.is_set():
            raise TryAgain("the answer dripped in too slowly")
        return Reply(response.status_code, response.headers, body, round((self._clock() - started) * 1000))

    @contextmanager
    def _cut_off_in_time(self, late: threading.Event) -> Iterator[None]:
        """End the connection when a whole answer takes too long, and say so.

        httpx limits the wait for each byte; a server that drips, be it the headers, would hold us for ever.
        """
        timer = threading.Timer(10 * self._timeout_seconds, self._cut_off, (late,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut_off(self, late: threading.Event) -> None:
        late.set()
        if self._connection is not None:
            with suppress(OSError):
                self._connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def _note_connection(self, event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._connection = info["return_value"]

    def _note_origin(self, reply: Reply) -> None:
        kind = "sandbox" if SANDBOX_HEADER in reply.headers else "b2chat"
        self._origin = Origin(kind, self.base_url)
