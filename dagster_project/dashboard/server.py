"""The served dashboard: the pages with filters, made when they are asked for and kept while the marts stand."""

import asyncio
import logging
import threading
import time
from collections.abc import Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dagster_project.dashboard import filters as asked
from dagster_project.dashboard import page, render
from dagster_project.dashboard.account import Account, account
from dagster_project.dashboard.cache import PageCache
from dagster_project.dashboard.errors import DashboardFailed, NoSuchPage
from dagster_project.dashboard.filters import Filters
from dagster_project.dashboard.guard import Guard, allowed_hosts
from dagster_project.dashboard.links import FIRST, ServedLinks
from dagster_project.dashboard.pages.catalogue import PAGES
from dagster_project.dashboard.popular import Popular
from dagster_project.dashboard.reader import SESSIONS, Reader
from dagster_project.exports.i18n.language import LANGUAGES, Language
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.week import CELLS

log = logging.getLogger(__name__)

_STATE_SECONDS = 3  # after which we look again whether there was a build …
_OLD_STATE_SECONDS = 60  # … and until which readers need not wait for that
_WARM_SECONDS = 15  # between two looks whether pages are to be made before somebody asks
_MAX_QUERY_LENGTH = 4000


@dataclass(frozen=True)
class _Asked:
    """A page, however its address was written; with a slot, the chats of that cell of the heatmap."""

    language: Language
    name: str
    filters: Filters
    slot: tuple[int, int] | None = None


@dataclass
class _State:
    """What the marts stand at, and when we looked."""

    looked_at: float
    value: Hashable
    account: Account | None


class Dashboard:
    """The pages of one warehouse.

    Args:
        timezone: the account's zone.
        company: whose dashboard it is.
        language: where none is named.
    """

    def __init__(self, reader: Reader, *, timezone: str, company: str | None, language: Language) -> None:
        self._reader = reader
        self._timezone = timezone
        self._company = company
        self._language = language
        self._cache = PageCache()
        self._state: _State | None = None
        self._failed_look: tuple[float, DashboardFailed | None] = (0.0, None)
        # Together as many as there are sessions. Who waits for a page is never behind those that are only made anew.
        self._makers = ThreadPoolExecutor(SESSIONS - 2, thread_name_prefix="make")
        self._remaker = ThreadPoolExecutor(1, thread_name_prefix="make anew")
        self._watcher = ThreadPoolExecutor(1, thread_name_prefix="look")
        self._is_looking = False
        self._waiting: set[_Asked] = set()
        self._popular: Popular[_Asked] = Popular()

    def app(self, host: str = "127.0.0.1", *, hosts: list[str] | None = None, token: str | None = None) -> Guard:
        """The app: `/` leads to the first page, `/LANGUAGE/PAGE` is one, `/LANGUAGE/heatmap/cell` a drill-down."""
        routes = [
            Route("/", self._first, methods=["GET"]),
            Route("/healthz", self._health, methods=["GET"]),
            Route("/{language}/heatmap/cell", self._cell, methods=["GET"]),
            Route("/{language}/{name}", self._page, methods=["GET"]),
            Route("/{language}/heatmap/cell/", self._without_slash, methods=["GET"]),
            Route("/{language}/{name}/", self._without_slash, methods=["GET"]),
        ]
        app = Starlette(routes=routes, exception_handlers={404: self._unknown})
        app.router.redirect_slashes = False  # its own leads to a whole address, and to http:// behind a proxy with TLS
        say = Wording(self._language)
        denied = render.message(
            say, say.text("dashboard.denied"), say.text("dashboard.denied_why"), company=None
        ).encode()
        return Guard(app, hosts=allowed_hosts(host, hosts or []), token=token, policy=render.policy(), denied=denied)

    async def _first(self, request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/{self._language}/{FIRST}{query}", 303)

    async def _without_slash(self, request: Request) -> Response:
        if request.path_params["language"] not in LANGUAGES:  # two slashes would begin the address of another host
            return await self._unknown(request, NoSuchPage())
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{request.url.path.rstrip('/')}{query}", 308)

    async def _health(self, _: Request) -> Response:
        return Response("ok", media_type="text/plain")

    async def _unknown(self, request: Request, _: Exception) -> Response:
        return self._message(self._language, 404, "dashboard.not_found", request.url.path[:200])

    async def _page(self, request: Request) -> Response:
        language, name = request.path_params["language"], request.path_params["name"]
        if language not in LANGUAGES or name not in PAGES:
            return await self._unknown(request, NoSuchPage())
        return await self._answer(request, language, name)

    async def _cell(self, request: Request) -> Response:
        language = request.path_params["language"]
        if language not in LANGUAGES:
            return await self._unknown(request, NoSuchPage())
        return await self._answer(request, language, "heatmap", is_cell=True)

    async def _answer(self, request: Request, language: Language, name: str, *, is_cell: bool = False) -> Response:
        """The page as it is kept, else made; the old one while a new one is made after a build."""
        query = request.query_params
        if len(request.url.query) > _MAX_QUERY_LENGTH:
            return self._message(language, 400, "dashboard.not_found", "filters: too long")
        loop = asyncio.get_running_loop()
        try:
            known = self._known_state()
            state = await loop.run_in_executor(self._watcher, self._look) if known is None else known
            if state.account is None:
                return self._message(
                    language, 503, "dashboard.unavailable", Wording(language).text("dashboard.not_built")
                )
            slot = _slot(query) if is_cell else None
            try:
                filters = asked.read(query, state.account)
            except NoSuchPage:  # or of a build that has just ended
                state = await loop.run_in_executor(self._watcher, self._look)
                if state.account is None:
                    raise
                filters = asked.read(query, state.account)
            wanted = _Asked(language, name, filters if slot else _known_to(name, filters), slot)
            body = self._cache.fresh(wanted, state.value)
            if body is None:
                body = self._cache.stale(wanted)
                if body is None:
                    body = await loop.run_in_executor(self._makers, self._make, wanted, state)
                elif wanted not in self._waiting:
                    self._waiting.add(wanted)
                    self._remaker.submit(self._make_quietly, wanted, state)
            self._popular.note(wanted)
        except NoSuchPage as error:
            return self._message(language, 404, "dashboard.not_found", str(error))
        except DashboardFailed as error:
            log.warning("%s", error)
            return self._message(language, 503, "dashboard.unavailable", str(error))
        return Response(body, media_type="text/html; charset=utf-8")

    def _known_state(self) -> _State | None:
        """What the marts stand at, as we know it; None where we looked too long ago. Looks again on the side."""
        state = self._state
        if state is None or state.account is None:
            return None
        age = time.monotonic() - state.looked_at
        if age > _OLD_STATE_SECONDS:
            return None
        if age > _STATE_SECONDS and not self._is_looking:
            self._is_looking = True
            self._watcher.submit(self._look_quietly)
        return state

    def _look(self) -> _State:
        """Look what the marts stand at; one look serves all who wait for it."""
        state = self._state
        if state and time.monotonic() - state.looked_at < _STATE_SECONDS:
            return state
        failed_at, error = self._failed_look
        if error and time.monotonic() - failed_at < _STATE_SECONDS:
            raise error
        try:
            found = self._reader.read(lambda connection: account(connection, self._timezone))
        except DashboardFailed as fault:
            self._failed_look = time.monotonic(), fault
            raise
        self._state = _State(time.monotonic(), found and found.freshness, found)
        return self._state

    def _look_quietly(self) -> None:
        try:
            self._look()
        except Exception as error:
            log.warning("the marts could not be looked at: %s", type(error).__name__)
        finally:
            self._is_looking = False

    def _make(self, wanted: _Asked, state: _State) -> bytes:
        def made(connection: psycopg.Connection) -> bytes:
            known = account(connection, self._timezone)
            if known is None:
                raise DashboardFailed(Wording(self._language).text("dashboard.not_built"))
            return self._page_of(wanted, connection, known).encode()

        return self._cache.make(wanted, state.value, lambda: self._reader.read(made))

    def _page_of(self, wanted: _Asked, connection: psycopg.Connection, known: Account) -> str:
        language, name, filters, slot = wanted.language, wanted.name, wanted.filters, wanted.slot
        links = ServedLinks(language, name, filters, known.first_week, known.last_week, slot)
        if slot:
            return page.cell(connection, known, slot, filters, links, language=language, company=self._company)
        return page.page(connection, known, name, filters, links, language=language, company=self._company)

    def _make_quietly(self, wanted: _Asked, state: _State) -> None:
        try:
            self._make(wanted, state)
        except Exception as error:
            log.warning("a page could not be made anew: %s", type(error).__name__)
        finally:
            self._waiting.discard(wanted)

    @contextmanager
    def kept_warm(self) -> Iterator[None]:
        """While this lasts, pages that people ask for are made anew after a build, before the next one asks."""
        is_over = threading.Event()

        def keep() -> None:
            while not is_over.is_set():
                self._watcher.submit(self._look_quietly).result()
                if state := self._state:
                    for wanted in self._wanted_soon(state):
                        if not is_over.is_set() and self._cache.is_due(wanted, state.value):
                            self._remaker.submit(self._make_quietly, wanted, state).result()
                is_over.wait(_WARM_SECONDS)

        thread = threading.Thread(target=keep, name="keep warm", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _wanted_soon(self, state: _State) -> list[_Asked]:
        """The pages of the menu as they open, and those that people asked for lately."""
        if state.account is None or not self._popular.is_visited():
            return []
        first = [_Asked(self._language, name, _known_to(name, asked.read({}, state.account))) for name in PAGES]
        return list(dict.fromkeys([*first, *self._popular.pages()]))

    def _message(self, language: Language, status: int, title: str, text: str) -> Response:
        say = Wording(language)
        body = render.message(say, say.text(title), text, company=self._company)
        return Response(body, status, media_type="text/html; charset=utf-8")


def _known_to(name: str, filters: Filters) -> Filters:
    one = PAGES[name]
    return filters.known_to(one.directions, one.hours, one.measures)


def _slot(query: Mapping[str, str]) -> tuple[int, int]:
    try:
        slot = int(query.get("day", "")), int(query.get("hour", ""))
    except ValueError:
        slot = (-1, -1)
    if slot not in CELLS:
        raise NoSuchPage("day: 0 (Sunday) to 6; hour: 0 to 23")
    return slot
