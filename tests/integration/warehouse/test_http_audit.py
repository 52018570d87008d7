"""Who opened a page and who was refused, as the doors of the dashboard and of the questions note it."""

from collections.abc import Iterator

import psycopg
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from dagster_project.cli.http_audit import Recorded, Recorder
from dagster_project.dashboard import guard

TOKEN = "a-token-of-the-tests-only"


async def _page(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("page", 404 if "nowhere" in scope["path"] else 200)(scope, receive, send)


@pytest.fixture
def events(database_url: str) -> Iterator[list[tuple[str, ...]]]:
    found: list[tuple[str, ...]] = []
    yield found
    with psycopg.connect(database_url) as conn:
        rows = conn.execute(
            "select event_type, resource, user_id, ip_address, user_agent, success, metadata ->> 'attempts', "
            "to_jsonb(audit_logs)::text from ops.audit_logs order by created_at"
        ).fetchall()
    assert [row[:7] for row in rows] == found
    assert TOKEN not in "".join(row[7] for row in rows)


def test_a_page_that_is_opened_is_one_event_and_refusals_are_one_a_minute(
    database_url: str, events: list[tuple[object, ...]]
) -> None:
    door = guard.Guard(
        _page, hosts=guard.allowed_hosts("127.0.0.1", []), token=TOKEN, policy="default-src 'none'", denied=b"denied"
    )
    with Recorder(database_url).running() as recorder:
        app = Recorded(door, recorder, "dashboard", has_pages=True)
        client = TestClient(app, base_url="http://127.0.0.1:8765", follow_redirects=False, client=("10.1.2.3", 9))
        for _ in range(5):
            assert client.get("/es/heatmap").status_code == 401
        assert client.get("/es/heatmap", headers={"authorization": f"Bearer {TOKEN}-wrong"}).status_code == 401
        assert client.get(f"/es/heatmap?token={TOKEN}").status_code == 303  # and a cookie
        for path in ("/es/heatmap?week=2025-09-22", "/es/nowhere", "/healthz"):
            client.get(path)
        assert client.get("/es/heatmap", headers={"host": "evil.example"}).status_code == 421
    who = (None, "10.1.2.3", "testclient")
    events += [
        ("unauthorized.access", "dashboard", *who, False, "1"),
        ("auth.failed_login", "dashboard", *who, False, "1"),
        ("auth.login", "dashboard", *who, True, None),
        ("data.read", "dashboard:es/heatmap", *who, True, None),
    ]


def test_a_caller_that_is_refused_often_is_told_of_with_how_often(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("dagster_project.cli.http_audit.time.monotonic", lambda: clock[0])
    recorder, added = Recorder("not used"), []
    monkeypatch.setattr(recorder, "add", lambda event, **fields: added.append((event, fields["metadata"]["attempts"])))
    for second in range(130):
        clock[0] = 100.0 + second
        recorder.add_refusal("auth.failed_login", "10.1.2.3")
    assert added == [("auth.failed_login", 1), ("auth.failed_login", 60), ("auth.failed_login", 60)]
