"""Who gets to read the served dashboard, and what browsers are held to."""

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from dagster_project.dashboard import guard
from dagster_project.settings import SettingsError

TOKEN = "a-token-of-the-tests-only"


async def _page(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"page {Request(scope).url.path}")(scope, receive, send)


def _client(token: str | None = None, hosts: tuple[str, ...] = ()) -> TestClient:
    app = guard.Guard(
        _page,
        hosts=guard.allowed_hosts("127.0.0.1", list(hosts)),
        token=token,
        policy="default-src 'none'",
        denied=b"denied",
    )
    return TestClient(app, base_url="http://127.0.0.1:8765", follow_redirects=False)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "LOCALHOST:1", "[::1]:8765", "board.example.test"])
def test_a_caller_that_names_a_host_of_ours_is_let_through(host: str) -> None:
    assert _client(hosts=("board.example.test",)).get("/es/sla", headers={"host": host}).text == "page /es/sla"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example:80", "[", ""])
def test_a_page_of_another_site_whose_name_leads_here_is_refused(host: str) -> None:
    answer = _client().get("/es/sla", headers={"host": host})
    assert (answer.status_code, answer.text) == (421, "unknown host")


def test_nothing_is_done_but_reading() -> None:
    assert [_client().request(method, "/").status_code for method in ("POST", "PUT", "DELETE", "PATCH")] == [405] * 4


def test_every_answer_has_the_headers_that_browsers_are_held_to() -> None:
    for answer in (_client().get("/"), _client(TOKEN).get("/"), _client().get("/", headers={"host": "evil.example"})):
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


def test_without_the_token_there_is_no_page() -> None:
    client = _client(TOKEN)
    for headers in (
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"cookie": f"{guard.COOKIE}={TOKEN}"},
    ):
        answer = client.get("/es/sla", headers=headers)
        assert (answer.status_code, answer.text) == (401, "denied"), headers
    assert client.get("/es/sla?token=wrong").status_code == 401
    assert client.get("/es/sla", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_the_token_leaves_the_address_at_once_and_the_cookie_is_not_the_token() -> None:
    client = _client(TOKEN)
    answer = client.get(f"/es/sla?week=2025-10-06&token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/es/sla?week=2025-10-06")
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie and "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert client.get("/es/sla").text == "page /es/sla"


def test_the_token_does_not_lead_to_another_site() -> None:
    answer = _client(TOKEN).get(f"http://127.0.0.1:8765//evil.example/x?token={TOKEN}")
    assert answer.headers["location"] == "/evil.example/x"


def test_beyond_this_machine_it_is_served_with_a_token_alone() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.8.8.8"):
        guard.require_token(host, None)
    for host in ("0.0.0.0", "::", "10.0.0.1", "board.example.test"):
        with pytest.raises(SettingsError, match="B2CHAT_DASHBOARD_TOKEN is missing"):
            guard.require_token(host, None)
        guard.require_token(host, TOKEN)
    with pytest.raises(SettingsError, match="fewer than 16 characters"):
        guard.require_token("127.0.0.1", "short")
