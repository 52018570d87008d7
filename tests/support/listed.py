"""A source for the sandbox's server that serves what a test lists, and can be changed between two answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, Literal

from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.sources.b2chat.sandbox import server
from dagster_project.sources.b2chat.sandbox.clock import FrozenClock
from dagster_project.sources.b2chat.sandbox.faults import FaultPlan
from dagster_project.sources.b2chat.sandbox.source import ChatQuery, ContactQuery, Page

CLIENT_ID, SECRET = "client-7", "CANARY-secret-3f9a"
NOON = datetime(2025, 10, 10, 17, tzinfo=UTC)
AGENT = {"email": "ana@example.test", "name": "Ana Uno", "username": "ana"}


def chat(key: str, day: str = "2025-10-01", **fields: Any) -> dict[str, Any]:
    """A closed chat without messages, created on a day."""
    return {
        "chat_id": key,
        "created_at": f"{day} 09:00:00",
        "closed_at": f"{day} 10:00:00",
        "status": "CLOSED",
        "messages": [],
    } | fields


def message(at: str, *, incoming: bool = True, body: str | None = "hola", **fields: Any) -> dict[str, Any]:
    """A text message of a chat, at a local time."""
    return {
        "body": body,
        "broadcasted": False,
        "caption": None,
        "created_at": at,
        "incoming": incoming,
        "location": None,
        "type": "TEXT",
    } | fields


def contact(key: int, **fields: Any) -> dict[str, Any]:
    """A contact, created and last updated in 2024."""
    return {
        "contact_id": key,
        "fullname": f"Cliente {key}",
        "created": "2024-01-01 08:00:00",
        "updated": "2024-01-02 08:00:00",
        "tags": None,
        "row_index": None,
    } | fields


class ListedSource:
    """Serves `records[entity]` in their order. `before_answer`, if set, is called before each page is cut."""

    kind: Literal["generated"] = "generated"

    def __init__(self, chats: list[Any] | None = None, contacts: list[Any] | None = None) -> None:
        self.records: dict[str, list[Any]] = {"chats": chats or [], "contacts": contacts or []}
        self.queries: list[ChatQuery | ContactQuery] = []
        self.before_answer: Callable[[], None] = lambda: None

    def chats(self, query: ChatQuery, now: datetime) -> Page:
        return self._page(query, [one for one in self.records["chats"] if query.created.hold(_time(one, "created_at"))])

    def contacts(self, query: ContactQuery, now: datetime) -> Page:
        return self._page(
            query,
            [
                one
                for one in self.records["contacts"]
                if (not query.created or query.created.hold(_time(one, "created")))
                and (not query.updated or query.updated.hold(_time(one, "updated")))
            ],
        )

    def _page(self, query: ChatQuery | ContactQuery, matching: list[Any]) -> Page:
        self.queries.append(query)
        ordered = matching[::-1] if query.descending else matching
        page = Page(ordered[query.offset : query.offset + query.limit], len(matching))
        self.before_answer()
        return page


class FakeTime:
    """A clock that moves only when someone sleeps; `naps` are the sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


@contextmanager
def serving(source: Any, *, faults: FaultPlan | None = None) -> Iterator[server.Sandbox]:
    """A sandbox over real HTTP, its clock held at noon (account's time) of 2025-10-10."""
    with server.running(
        source, client_id=CLIENT_ID, client_secret=SECRET, clock=FrozenClock(NOON), faults=faults
    ) as sandbox:
        yield sandbox


def client_of(sandbox: server.Sandbox, **parameters: Any) -> B2ChatClient:
    """A client that does not really wait."""
    time = FakeTime()
    defaults: dict[str, Any] = {"clock": time.clock, "sleep": time.sleep, "timeout_seconds": 5}
    return B2ChatClient(sandbox.base_url, CLIENT_ID, SECRET, **(defaults | parameters))


def _time(record: Any, name: str) -> str:
    """The day of a record; broken ones count as created on 2025-10-01."""
    value = record.get(name) if isinstance(record, dict) else None
    return value if isinstance(value, str) and value[:4].isdigit() else f"{date(2025, 10, 1)} 00:00:00"
