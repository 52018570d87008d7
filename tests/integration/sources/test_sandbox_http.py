"""The sandbox over real HTTP: B2Chat's rules for tokens, parameters and envelopes, and the planned faults."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from dagster_project.sources.b2chat.sandbox import faults
from dagster_project.sources.b2chat.sandbox.clock import FrozenClock
from dagster_project.sources.b2chat.sandbox.faults import Fault
from dagster_project.sources.b2chat.sandbox.generator import Account, GeneratedSource
from dagster_project.sources.b2chat.sandbox.replay import ReplaySource
from dagster_project.sources.b2chat.sandbox.server import Sandbox, running

CREDENTIALS = ("an-id", "a secret: with a colon")
GRANT = {"grant_type": "client_credentials"}
SOURCE = GeneratedSource(Account(first_day=date(2025, 9, 1), days=30, chats_per_day=120))


class Client:
    """A caller with a token."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.http = httpx.Client(base_url=sandbox.base_url, timeout=10)
        self.renew()

    def renew(self) -> dict[str, Any]:
        answer = self.http.post("/oauth/token", auth=CREDENTIALS, data=GRANT).raise_for_status().json()
        self.http.headers["authorization"] = f"Bearer {answer['access_token']}"
        return answer

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        return self.http.get(path, params=parameters)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2025, 10, 1, 5, 0, tzinfo=UTC))


@pytest.fixture
def sandbox(clock: FrozenClock) -> Iterator[Sandbox]:
    with running(SOURCE, client_id=CREDENTIALS[0], client_secret=CREDENTIALS[1], clock=clock) as started:
        yield started


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    caller = Client(sandbox)
    yield caller
    caller.http.close()


def test_a_token_lives_a_day_and_asking_again_returns_the_same_one(client: Client, clock: FrozenClock) -> None:
    first = client.renew()
    clock.advance(timedelta(hours=23))
    second = client.renew()
    assert first == {"access_token": first["access_token"], "token_type": "bearer", "expires_in": 86400, "scope": "all"}
    assert second == first | {"expires_in": 3600}
    clock.advance(timedelta(hours=1))
    assert client.get("/chats/export").status_code == 401
    assert client.renew()["access_token"] != first["access_token"]
    assert client.get("/chats/export", limit=1).status_code == 200


def test_the_desk_refuses_wrong_credentials_and_wrong_grants(client: Client) -> None:
    ask = client.http.post
    refused = [
        ask("/oauth/token", auth=("an-id", "wrong"), data=GRANT),
        ask("/oauth/token", data=GRANT),
        ask("/oauth/token", auth=CREDENTIALS, data={"grant_type": "password"}),
        ask("/oauth/token", auth=CREDENTIALS),
    ]
    assert [answer.status_code for answer in refused] == [401, 401, 400, 400]
    assert all(answer.json()["message"] for answer in refused)


@pytest.mark.parametrize("path", ["/chats/export", "/contacts/export"])
def test_an_export_needs_the_live_token(sandbox: Sandbox, client: Client, path: str) -> None:
    assert httpx.get(sandbox.base_url + path).status_code == 401
    assert httpx.get(sandbox.base_url + path, headers={"authorization": "Bearer no"}).json()["message"]
    sandbox.revoke_token()
    assert client.get(path).status_code == 401
    client.renew()
    assert client.get(path).status_code == 200


def test_the_defaults_are_newest_first_a_thousand_at_most_and_without_tags(client: Client) -> None:
    chats = client.get("/chats/export").json()
    clamped = client.get("/chats/export", limit=5000, offset=1000).json()
    assert (chats["exported"], len(chats["chats"]), clamped["exported"]) == (1000, 1000, 1000)
    assert chats["total"] == clamped["total"] > 3000
    assert clamped["chats"][0]["created_at"] <= chats["chats"][-1]["created_at"] < chats["chats"][0]["created_at"]
    without = client.get("/contacts/export").json()["contacts"]
    whole = client.get("/contacts/export", skip_tags="FALSE", skip_custom_attributes="false").json()["contacts"]
    assert all(contact["tags"] is None and contact["custom_attributes"] is None for contact in without)
    assert any(contact["tags"] for contact in whole)
    assert any(contact["custom_attributes"] for contact in whole)


def test_pages_over_closed_days_hold_each_chat_once(client: Client) -> None:
    window = {"date_range_from": "2025-09-08", "date_range_to": "2025-09-14", "order_dir": "asc", "limit": 100}
    pages = [client.get("/chats/export", offset=offset, **window).json() for offset in range(0, 1200, 100)]
    ids = [chat["chat_id"] for page in pages for chat in page["chats"]]
    assert len(ids) == len(set(ids)) == pages[0]["total"] == sum(page["exported"] for page in pages)
    days = {chat["created_at"][:10] for page in pages for chat in page["chats"]}
    assert days == {f"2025-09-{day:02d}" for day in range(8, 15)}


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/chats/export", {"limit": "0"}),
        ("/chats/export", {"offset": "-1"}),
        ("/chats/export", {"order_dir": "up"}),
        ("/chats/export", {"date_range_from": "01-09-2025"}),
        ("/chats/export", {"date_range_from": "2025-02-30"}),
        ("/chats/export", {"date_range_from": "2025-09-02", "date_range_to": "2025-09-01"}),
        ("/chats/export", {"messaging_provider": "smoke"}),
        ("/contacts/export", {"skip_tags": "perhaps"}),
        ("/contacts/export", {"updated_to": "yesterday"}),
    ],
)
def test_a_bad_parameter_is_refused_by_name(client: Client, path: str, parameters: dict[str, str]) -> None:
    answer = client.get(path, **parameters)
    assert answer.status_code == 400
    assert next(iter(parameters)) in answer.json()["message"]


def test_what_it_makes_is_marked_as_made(client: Client, sandbox: Sandbox) -> None:
    answer = client.get("/chats/export", limit=1)
    assert answer.headers["x-b2chat-sandbox"] == "generated"
    assert "sandbox" in answer.json()["message"]
    assert answer.json()["trace_id"]
    assert httpx.get(f"{sandbox.base_url}/health").json() == {"status": "ok"}
    with running(ReplaySource(), client_id=CREDENTIALS[0], client_secret=CREDENTIALS[1]) as replay:
        assert Client(replay).get("/chats/export").headers["x-b2chat-sandbox"] == "replay"


def test_a_frozen_clock_gives_the_same_bytes_and_a_moved_one_a_later_state(
    client: Client, sandbox: Sandbox, clock: FrozenClock
) -> None:
    window = {"date_range_from": "2025-09-29", "date_range_to": "2025-09-30", "order_dir": "asc"}
    first = client.get("/chats/export", **window)
    assert client.get("/chats/export", **window).content == first.content
    clock.advance(timedelta(hours=20))
    moved = {chat["chat_id"]: chat for chat in client.get("/chats/export", **window).json()["chats"]}
    open_then = [chat["chat_id"] for chat in first.json()["chats"] if chat["closed_at"] is None]
    assert any(moved[chat_id]["closed_at"] for chat_id in open_then)
    sandbox.clock = FrozenClock(datetime(2025, 9, 29, 5, 0, tzinfo=UTC))
    client.renew()
    assert client.get("/chats/export", **window).json()["total"] == 0


def test_each_fault_strikes_the_request_it_is_planned_for(client: Client, sandbox: Sandbox) -> None:
    path = "/chats/export"
    plan = [
        faults.fails(429, retry_after=7),
        faults.fails(500),
        faults.html(),
        faults.envelope_says(exported=3, total=0),
        faults.nul_in_text(),
        faults.nul_in_text(raw=True),
        faults.delayed(0.3),
    ]
    for nth, change in enumerate(plan, start=2):
        sandbox.faults.add(Fault(path, change, nth=nth))
    assert client.get(path, limit=5).json()["exported"] == 5
    limited, broken, page, lying, escaped, raw, late = (client.get(path, limit=50) for _ in plan)
    assert (limited.status_code, limited.headers["retry-after"], broken.status_code) == (429, "7", 500)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html")
    assert (lying.json()["exported"], lying.json()["total"], len(lying.json()["chats"])) == (3, 0, 50)
    texts = [m["body"] for chat in escaped.json()["chats"] for m in chat["messages"] if m["type"] == "TEXT"]
    assert texts
    assert all(text.endswith("\0") for text in texts)
    with pytest.raises(json.JSONDecodeError):
        raw.json()
    assert late.elapsed > timedelta(seconds=0.3)
    assert client.get(path, limit=5).json()["exported"] == 5
    assert sandbox.requests == {"/oauth/token": 1, path: 9}


def test_a_cut_body_ends_in_the_middle(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("/chats/export", faults.cut_short(), times=2))
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/chats/export")
    assert client.get("/chats/export").json()["exported"] == 1000


def test_a_lone_surrogate_crosses_the_wire_as_an_escape(clock: FrozenClock) -> None:
    source = GeneratedSource(Account(first_day=date(2025, 9, 1), days=3, silent_share=0, dirty_share=0.3))
    with running(source, client_id=CREDENTIALS[0], client_secret=CREDENTIALS[1], clock=clock) as sandbox:
        assert b"\\ud83d" in Client(sandbox).get("/chats/export", limit=50).content
