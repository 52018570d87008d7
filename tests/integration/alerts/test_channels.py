"""Channels: what is not certain to be the right receiver gets nothing; the command says what happened."""

import json
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from dagster_project.alerts.channels import http, mail
from dagster_project.alerts.channels.apprise import Apprise
from dagster_project.alerts.channels.configured import faults
from dagster_project.alerts.channels.contract import DeliveryFailed
from dagster_project.alerts.channels.mail import MailAlerts, Mailbox
from dagster_project.alerts.channels.webhook import Webhook
from dagster_project.alerts.message import trial
from dagster_project.settings import Settings, SettingsError
from tests.support.certificates import issue
from tests.support.receivers import dripping, post_office, receiving

MESSAGE = trial(datetime.now(UTC))


@pytest.fixture(scope="module")
def certificates(new_folder: Callable[[], str]) -> Path:
    folder = Path(new_folder())
    issue(folder, "server", issue(folder, "authority", None))
    return folder


def test_a_certificate_of_nobody_we_know_is_refused_and_one_that_is_known_taken(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with post_office(certificates, login=("bot", "zqkan")) as office:

        def channel(password: str = "zqkan") -> MailAlerts:
            box = Mailbox("127.0.0.1", office.port, "starttls", "bot", SecretStr(password), "b2chat@example.com")
            return MailAlerts(box, ["ana@example.com"])

        with pytest.raises(DeliveryFailed, match="certificate is refused"):
            channel().send(MESSAGE)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "authority.crt"))
        channel().send(MESSAGE)
        with pytest.raises(DeliveryFailed, match="refuses user or password") as caught:
            channel("wrong-zqkan").send(MESSAGE)
        assert "zqkan" not in str(caught.value)
        (mail,) = office.take()
        assert mail["Subject"] == "[b2chat] test: this is a test of b2chat's alerts; nothing is wrong"
    with post_office() as office, pytest.raises(DeliveryFailed, match="does not offer"):
        channel().send(MESSAGE)  # a server that speaks no TLS gets neither password nor mail
    assert office.take() == []


def test_a_receiver_whose_answer_drips_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for channel in (http, mail):
        monkeypatch.setattr(channel, "WHOLE_SECONDS", 0.5)
    with dripping() as port:
        box = Mailbox("127.0.0.1", port, "none", None, None, "b2chat@example.com")
        for one in (MailAlerts(box, ["ana@example.com"]), Webhook(SecretStr(f"http://127.0.0.1:{port}"))):
            began = time.monotonic()
            with pytest.raises(DeliveryFailed, match="did not answer in time"):
                one.send(MESSAGE)
            assert time.monotonic() - began < 6  # each byte came soon enough


def test_apprise_sends_to_what_it_knows_and_says_nothing_of_an_address() -> None:
    with receiving() as receiver:
        address = receiver.url.replace("http://", "json://") + "/zqkan"
        Apprise(SecretStr(address)).send(MESSAGE)
        (post,) = receiver.take()
        assert json.loads(post.body)["message"].startswith("test: this is a test")
        receiver.status, receiver.location = 307, f"{receiver.url}/elsewhere"
        with pytest.raises(DeliveryFailed, match="1 of 1 services") as caught:
            Apprise(SecretStr(address)).send(MESSAGE)
        assert [post.path for post in receiver.take()] == ["/zqkan"], "no redirect is followed"
    with pytest.raises(DeliveryFailed, match="does not know"):
        Apprise(SecretStr("nosuch://zqkan")).send(MESSAGE)
    assert "zqkan" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"alerts_email_to": "ana@example.com"}, "B2CHAT_SMTP_HOST is missing"),
        ({"smtp_host": "mail.example.com", "report_email_to": "ana@example.com"}, "B2CHAT_SMTP_FROM is missing"),
        ({"smtp_host": "mail.example.com", "smtp_from": "b@example.com"}, "B2CHAT_REPORT_EMAIL_TO is missing"),
        ({"smtp_user": "bot"}, "B2CHAT_SMTP_PASSWORD is missing"),
        ({"alerts_webhook_secret": "s"}, "B2CHAT_ALERTS_WEBHOOK_URL is missing"),
        ({"alerts_apprise_urls": "nosuch://zqkan"}, "B2CHAT_ALERTS_APPRISE_URLS"),
    ],
)
def test_a_channel_that_is_set_up_by_halves_is_named(given: dict[str, str], says: str) -> None:
    (line,) = faults(Settings.load(**given))
    assert says in line and "zqkan" not in line


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"alerts_webhook_url": "http://hooks.example.com/zqkan"}, "https://"),
        ({"alerts_email_to": "ana@example.com, Ana <x"}, "e-mail address"),
        ({"smtp_from": "a@example.com\r\nBcc: zqkan@example.com"}, "e-mail address"),
        ({"smtp_host": "mail.example.com", "smtp_security": "none"}, "B2CHAT_SMTP_SECURITY"),
    ],
)
def test_an_address_that_secrets_or_alerts_may_not_go_to_is_refused(given: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        Settings.load(**given)
    assert "zqkan" not in str(caught.value)


def test_the_command_tries_each_channel_and_says_what_happened(
    database_url: str, b2chat: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    with receiving() as receiver:
        variables = {
            "DATABASE_URL": database_url,
            "B2CHAT_ALERTS_WEBHOOK_URL": f"{receiver.url}/zqkan",
            "B2CHAT_HEARTBEAT_URL": f"{receiver.url}/zqkan-beat",
        }
        done = b2chat("alerts", "test", "--json", **variables)
        assert json.loads(done.stdout)["results"] == [
            {"channel": "webhook", "ok": True, "text": "taken"},
            {"channel": "heartbeat", "ok": True, "text": "taken"},
        ]
        receiver.status = 404
        done = b2chat("alerts", "test", **variables)
        assert done.returncode == 1 and "it answered HTTP 404" in done.stdout
        assert "zqkan" not in done.stdout + done.stderr
    done = b2chat("alerts", "mute", "run_failed", "--hours", "2", **variables)
    assert "run_failed (all) is muted until" in done.stdout
    done = b2chat("alerts", "list", **variables)
    assert "nothing fires" in done.stdout and "channels: webhook" in done.stdout
