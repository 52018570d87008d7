"""A proxy in the environment: it is not told secrets or chats that are for this machine, where http:// may be used."""

import socket
from collections.abc import Iterator

import anthropic
import pytest

from dagster_project.analysis.claude import fake
from dagster_project.analysis.claude.messages import connect
from dagster_project.sources.b2chat.client import B2ChatClient
from tests.support.fake_b2chat import Account, serving


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """One that nobody may call; it answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, address)
        yield listener


def is_called(proxy: socket.socket) -> bool:
    proxy.settimeout(0.1)
    try:
        proxy.accept()[0].close()
    except TimeoutError:
        return False
    return True


def test_what_is_for_the_sandbox_goes_to_no_proxy(proxy: socket.socket) -> None:
    with serving(Account()) as url, B2ChatClient(url, "ana", "canary", timeout_seconds=3, max_attempts=1) as client:
        assert client.origin()
    assert not is_called(proxy)


def test_what_is_for_a_stand_in_of_claude_goes_to_no_proxy(proxy: socket.socket) -> None:
    with fake.running() as claude, pytest.raises(anthropic.NotFoundError):
        connect("canary", claude.url, timeout=3).get("/v1/nothing", cast_to=object)
    assert not is_called(proxy)
