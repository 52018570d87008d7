"""Tokens and secrets: asked for once, renewed in time, and never shown."""

import logging
from datetime import date

import pytest
from pydantic import SecretStr

from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.sources.b2chat.errors import AuthenticationFailed, BadAnswer, PermanentError, TransientError
from dagster_project.sources.b2chat.sandbox.faults import Answer, Fault, FaultPlan, fails
from dagster_project.sources.contract import Origin
from tests.support.listed import CLIENT_ID, SECRET, FakeTime, ListedSource, chat, client_of, serving

DAY = date(2025, 10, 1)
TOKEN, CHATS = "/oauth/token", "/chats/export"


def token(value: str, seconds: float) -> Fault:
    body = f'{{"access_token":"{value}","expires_in":{seconds}}}'.encode()
    return Fault(TOKEN, lambda _: Answer(200, body, {}))


def test_one_token_serves_all_calls() -> None:
    with serving(ListedSource([chat("a")])) as sandbox, client_of(sandbox) as client:
        for _ in range(3):
            client.chats(DAY, DAY)
        client.contacts()
        assert sandbox.requests[TOKEN] == 1


def test_a_token_is_renewed_before_it_expires() -> None:
    time = FakeTime()
    with serving(ListedSource()) as sandbox, client_of(sandbox, clock=time.clock, sleep=time.sleep) as client:
        client.chats(DAY, DAY)
        time.now += 24 * 3600 - 61
        client.chats(DAY, DAY)
        assert sandbox.requests[TOKEN] == 1
        time.now += 2
        client.chats(DAY, DAY)
        assert sandbox.requests[TOKEN] == 2


def test_a_token_handed_out_again_with_little_life_left_is_not_asked_for_at_each_call() -> None:
    time = FakeTime()
    faults = FaultPlan(Fault(TOKEN, lambda answer: Answer(200, answer.body.replace(b"86400", b"20"), {})))
    with (
        serving(ListedSource(), faults=faults) as sandbox,
        client_of(sandbox, clock=time.clock, sleep=time.sleep) as client,
    ):
        for _ in range(3):
            client.chats(DAY, DAY)
        assert sandbox.requests[TOKEN] == 1


@pytest.mark.parametrize("endpoint", [TOKEN, CHATS])
def test_no_redirect_takes_the_secret_or_the_token_to_another_address(endpoint: str) -> None:
    with serving(ListedSource([chat("a")])) as elsewhere:
        away = Fault(endpoint, lambda _: Answer(307, b"", {"location": f"{elsewhere.base_url}{endpoint}"}))
        with (
            serving(ListedSource(), faults=FaultPlan(away)) as sandbox,
            client_of(sandbox) as client,
            pytest.raises(PermanentError),
        ):
            client.chats(DAY, DAY)
        assert sum(elsewhere.requests.values()) == 0


def test_a_token_revoked_in_the_middle_is_replaced_once_and_the_call_repeated() -> None:
    with serving(ListedSource([chat("a")])) as sandbox, client_of(sandbox) as client:
        client.chats(DAY, DAY)
        sandbox.revoke_token()
        assert len(client.chats(DAY, DAY).items) == 1
        assert (sandbox.requests[TOKEN], sandbox.requests[CHATS]) == (2, 3)


def test_when_the_new_token_is_refused_too_it_stops_with_a_clear_error() -> None:
    faults = FaultPlan(Fault(CHATS, fails(401), times=99))
    with serving(ListedSource(), faults=faults) as sandbox, client_of(sandbox) as client:
        with pytest.raises(AuthenticationFailed, match="new token was refused"):
            client.chats(DAY, DAY)
        assert (sandbox.requests[TOKEN], sandbox.requests[CHATS]) == (2, 2)


def test_wrong_credentials_stop_at_once() -> None:
    with serving(ListedSource()) as sandbox, B2ChatClient(sandbox.base_url, CLIENT_ID, "wrong") as client:
        with pytest.raises(AuthenticationFailed, match="client id or secret was refused"):
            client.chats(DAY, DAY)
        assert (sandbox.requests[TOKEN], sandbox.requests[CHATS]) == (1, 0)


def test_the_token_endpoint_is_tried_again_when_it_fails_for_a_while() -> None:
    faults = FaultPlan(Fault(TOKEN, fails(503), times=2))
    with serving(ListedSource(), faults=faults) as sandbox, client_of(sandbox) as client:
        client.chats(DAY, DAY)
        assert sandbox.requests[TOKEN] == 3


def test_the_client_says_that_it_is_the_sandbox_that_answers() -> None:
    with serving(ListedSource()) as sandbox, client_of(sandbox) as client:
        assert client.origin() == Origin("sandbox", sandbox.base_url)


def test_neither_secret_nor_token_nor_body_shows_in_errors_logs_or_reprs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = (SECRET, "CANARY-token", "CANARY-body")
    faults = FaultPlan(
        token("CANARY-token-1", 3600),
        Fault(CHATS, lambda _: Answer(500, b"CANARY-body", {}), times=2),
        Fault(CHATS, lambda _: Answer(200, b"CANARY-body", {}), nth=3, times=2),
        Fault(CHATS, fails(418), nth=5),
    )
    shown = []
    with serving(ListedSource(), faults=faults) as sandbox, client_of(sandbox, max_attempts=2) as client:
        shown += [str(client.origin()), repr(client), repr(vars(client))]
        for kind in (TransientError, BadAnswer, PermanentError):
            with pytest.raises(kind) as caught:
                client.chats(DAY, DAY)
            shown += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
    shown += [record.getMessage() for record in caplog.records if record.name.startswith(("httpx", "dagster_project"))]
    assert not [text for text in shown for secret in secrets if secret in text]
    assert "token is good for" in caplog.text


def test_an_error_names_endpoint_window_attempts_and_cause() -> None:
    faults = FaultPlan(Fault(CHATS, fails(503), times=99))
    with (
        serving(ListedSource(), faults=faults) as sandbox,
        client_of(sandbox, max_attempts=3) as client,
        pytest.raises(TransientError) as caught,
    ):
        client.chats(DAY, DAY, offset=40)
    assert str(caught.value) == "GET /chats/export (created 2025-10-01, offset 40): HTTP 503 after 3 attempts"


def test_the_secret_may_come_wrapped_and_no_address_may_hold_a_password() -> None:
    with serving(ListedSource()) as sandbox, B2ChatClient(sandbox.base_url, CLIENT_ID, SecretStr(SECRET)) as client:
        client.origin()
    for address in ("https://user:CANARY@api.example.test", "ftp://api.example.test", "api.example.test"):
        with pytest.raises(ValueError, match="base_url") as caught:
            B2ChatClient(address, CLIENT_ID, SECRET)
        assert "CANARY" not in str(caught.value)


def test_a_refused_request_is_a_permanent_error() -> None:
    faults = FaultPlan(Fault(CHATS, fails(403), times=99))
    with serving(ListedSource(), faults=faults) as sandbox, client_of(sandbox) as client:
        with pytest.raises(PermanentError):
            client.chats(DAY, DAY)
        assert sandbox.requests[CHATS] == 1
