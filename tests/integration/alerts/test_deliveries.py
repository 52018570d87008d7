"""Messages: a real SMTP server and webhook receiver get each thing once, later if need be, and nothing else."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from dagster_project.alerts import episodes, outbox
from dagster_project.alerts.deliver import deliver
from dagster_project.alerts.troubles import Look, Trouble
from dagster_project.settings import Settings
from tests.support.receivers import Post, PostOffice, Receiver, post_office, receiving

KINDS = frozenset({"run_failed", "sync_failing", "quarantine_grew"})
CANARY = "zqkan said: my card is 4111 1111 1111 1111"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    with post_office() as made:
        yield made


@pytest.fixture(scope="module")
def settings(receiver: Receiver, office: PostOffice, new_folder: Callable[[], str]) -> Settings:
    return Settings.load(
        data_dir=Path(new_folder()),
        alerts_webhook_url=f"{receiver.url}/hook?key=zqkan-url",
        alerts_webhook_secret="zqkan-secret",
        alerts_ui_url="https://dagster.example.com",
        alerts_email_to="ana@example.com, bea@example.com",
        report_email_to="jefe@example.com",
        report_email_max_mb=0.001,
        smtp_host="127.0.0.1",
        smtp_port=office.port,
        smtp_security="none",
        smtp_from="b2chat@example.com",
        timezone="America/Bogota",
    )


@pytest.fixture
def conn(database_url: str, receiver: Receiver, office: PostOffice) -> Iterator[psycopg.Connection]:
    receiver.status, receiver.location, office.refusal = 200, "", ""
    receiver.take(), office.take(), office.recipients.clear()
    with psycopg.connect(database_url, autocommit=True) as made:
        yield made


def failed(*subjects: str, kind: str = "sync_failing", value: float | None = None) -> Look:
    """A look that finds this and nothing else of its kinds."""
    found = [
        Trouble(kind, one, "error", f"Sync of {one} failed", CANARY, value=value, run_id="7f")  # type: ignore[arg-type]
        for one in subjects
    ]
    return Look(found, KINDS)


def later(conn: psycopg.Connection, **interval: int) -> None:
    """Let time pass, for messages and mutes."""
    by = timedelta(**interval)
    conn.execute(
        "update ops.notification_deliveries set created_at = created_at - %(by)s, due_at = due_at - %(by)s, "
        "sent_at = sent_at - %(by)s",
        {"by": by},
    )
    conn.execute("update ops.notification_mutes set muted_until = muted_until - %s", [by])


def told(posts: list[Post]) -> list[list[tuple[str, str]]]:
    """Of each post, what it says of whom."""
    return [[(one["event"], one["subject"]) for one in json.loads(post.body)["alerts"]] for post in posts]


def test_an_episode_is_one_message_a_reminder_after_the_cool_down_and_one_when_it_is_over(
    conn: psycopg.Connection, settings: Settings, receiver: Receiver, office: PostOffice
) -> None:
    def tick(look: Look) -> tuple[list[list[tuple[str, str]]], list[Any]]:
        episodes.record(conn, look)
        deliver(conn, settings)
        return told(receiver.take()), [str(mail["Subject"]) for mail in office.take()]

    assert tick(failed("b2chat/chats")) == (
        [[("opened", "b2chat/chats")]],
        ["[b2chat] error: Sync of b2chat/chats failed"],
    )
    assert tick(failed("b2chat/chats")) == ([], [])
    later(conn, hours=23)
    assert tick(failed("b2chat/chats")) == ([], [])
    later(conn, hours=2)
    posts, mails = tick(failed("b2chat/chats"))
    assert (posts, mails) == ([[("reminder", "b2chat/chats")]], ["[b2chat] error: still: Sync of b2chat/chats failed"])
    assert tick(failed()) == ([[("recovered", "b2chat/chats")]], ["[b2chat] recovered: Sync of b2chat/chats failed"])
    later(conn, hours=48)
    assert tick(failed()) == ([], [])
    assert office.recipients[0] == ["ana@example.com", "bea@example.com"]


def test_ten_troubles_of_one_cause_are_one_message(
    conn: psycopg.Connection, settings: Settings, receiver: Receiver, office: PostOffice
) -> None:
    subjects = [f"b2chat/{number}" for number in range(10)]
    episodes.record(conn, failed(*subjects))
    deliver(conn, settings)
    (post,) = told(receiver.take())
    assert post == [("opened", subject) for subject in subjects]
    (mail,) = office.take()
    assert mail["Subject"].startswith("[b2chat] 10 alerts, first error")
    assert all(f"Sync of {subject} failed" in mail.get_content() for subject in subjects)


def test_what_a_receiver_that_is_down_missed_comes_later_and_once(
    conn: psycopg.Connection, settings: Settings, receiver: Receiver, office: PostOffice
) -> None:
    receiver.status, office.refusal = 503, "451 later"
    episodes.record(conn, failed("b2chat/chats", "b2chat/contacts"))
    lines = deliver(conn, settings)
    assert lines == ["webhook: 2 wait: it answered HTTP 503", "email: 2 wait: the SMTP server answered 451"]
    assert outbox.waiting(conn) == {
        "webhook": (2, "it answered HTTP 503"),
        "email": (2, "the SMTP server answered 451"),
    }
    tries = len(receiver.take())
    assert tries == 3, "tried again at once, and then left for later"
    deliver(conn, settings)
    assert receiver.take() == [], "not before its time"
    episodes.record(conn, failed("b2chat/chats"))  # one is over before anybody was told of it
    receiver.status, office.refusal = 200, ""
    later(conn, minutes=2)
    deliver(conn, settings)
    deliver(conn, settings)
    assert told(receiver.take()) == [[("opened", "b2chat/chats"), ("recovered", "b2chat/contacts")]]
    assert len(office.take()) == 1
    assert outbox.waiting(conn) == {}


def test_a_message_whose_sender_was_killed_is_sent_again_under_the_same_id(
    conn: psycopg.Connection, settings: Settings, receiver: Receiver
) -> None:
    episodes.record(conn, failed("b2chat/chats"))
    deliver(conn, settings)
    (first,) = receiver.take()
    # Killed between sending it and noting so: what was claimed is still pending.
    conn.execute("update ops.notification_deliveries set status = 'pending', due_at = now() + interval '3 minutes'")
    deliver(conn, settings)
    assert receiver.take() == [], "another process may be sending it"
    later(conn, minutes=4)
    deliver(conn, settings)
    (again,) = receiver.take()
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"]
    assert told([first]) == told([again])


def test_nothing_is_sent_of_what_is_muted_until_the_mute_ends_and_no_reminder_of_what_is_acknowledged(
    conn: psycopg.Connection, settings: Settings, receiver: Receiver
) -> None:
    episodes.mute(conn, "sync_failing", "b2chat/chats", datetime.now(UTC) + timedelta(hours=2), "ana")
    episodes.record(conn, failed("b2chat/chats", "b2chat/contacts"))
    deliver(conn, settings)
    assert told(receiver.take()) == [[("opened", "b2chat/contacts")]]
    (contacts,) = [one for one in episodes.listed(conn, past=False) if one.subject == "b2chat/contacts"]
    assert episodes.acknowledge(conn, contacts.id)
    later(conn, hours=25)
    deliver(conn, settings)
    assert told(receiver.take()) == [[("opened", "b2chat/chats")]], "the mute has run out; no reminder of the other"


def test_what_waits_for_a_receiver_is_not_sent_once_it_is_muted_or_acknowledged(
    conn: psycopg.Connection, settings: Settings, receiver: Receiver
) -> None:
    receiver.status = 503
    episodes.record(conn, failed("b2chat/chats"))
    deliver(conn, settings)
    episodes.mute(conn, "sync_failing", None, datetime.now(UTC) + timedelta(hours=2), "ana")
    receiver.status, _ = 200, receiver.take()
    later(conn, minutes=5)
    deliver(conn, settings)
    assert told(receiver.take()) == []
    later(conn, hours=2)
    deliver(conn, settings)
    assert told(receiver.take()) == [[("opened", "b2chat/chats")]], "the mute has run out"
    later(conn, hours=25)
    receiver.status = 503
    deliver(conn, settings)
    (chats,) = episodes.listed(conn, past=False)
    assert episodes.acknowledge(conn, chats.id)
    receiver.status, _ = 200, receiver.take()
    later(conn, minutes=5)
    deliver(conn, settings)
    assert told(receiver.take()) == [], "a reminder of what somebody knows"
    episodes.record(conn, failed())
    deliver(conn, settings)
    assert told(receiver.take()) == [[("recovered", "b2chat/chats")]]


def test_a_quarantine_that_stands_is_no_news_one_that_grew_is(
    conn: psycopg.Connection, settings: Settings, receiver: Receiver
) -> None:
    for value, news in ((3, 1), (3, 0), (4, 1)):
        episodes.record(conn, failed("b2chat/chats", kind="quarantine_grew", value=value))
        deliver(conn, settings)
        assert len(receiver.take()) == news
        later(conn, hours=25)


def test_a_message_is_signed_and_holds_nothing_of_what_stays_inside(
    conn: psycopg.Connection,
    settings: Settings,
    receiver: Receiver,
    office: PostOffice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    hostile = "x\r\nBcc: evil@example.com\x1b[2J\u202e"
    episodes.record(conn, failed(hostile))
    lines = deliver(conn, settings)
    (post,), (mail,) = receiver.take(), office.take()
    at, _, digest = post.headers["X-B2Chat-Signature"].removeprefix("t=").partition(",v1=")
    assert digest == hmac.new(b"zqkan-secret", f"{at}.".encode() + post.body, hashlib.sha256).hexdigest()
    assert abs(int(at) - datetime.now(UTC).timestamp()) < 60
    alert = json.loads(post.body)["alerts"][0]
    assert alert["link"] == "https://dagster.example.com/runs/7f"
    assert (mail["Bcc"], mail["To"]) == (None, "ana@example.com, bea@example.com")
    assert not set(mail["Subject"]) & set("\r\n\x1b\u202e")
    receiver.status, receiver.location = 302, "https://elsewhere.example.com/zqkan"
    episodes.record(conn, failed("b2chat/other"))
    lines = [*lines, *deliver(conn, settings)]
    assert "webhook: 2 wait: it redirects elsewhere (HTTP 302), which is not followed" in lines
    errors = conn.execute("select string_agg(error, ' ') from ops.notification_deliveries").fetchall()
    everything = [post.body.decode(), mail.as_string(), *lines, caplog.text, str(errors)]
    assert not any("zqkan" in text or "4111" in text for text in everything)


def report(
    conn: psycopg.Connection, settings: Settings, week: date, size: int, run_id: str | None = "run", **about: str
) -> str:
    """An export of a week's report, and its file."""
    key, folder = f"report/week-{week}-{size}.pdf", settings.exports_path
    (folder / key).parent.mkdir(parents=True, exist_ok=True)
    (folder / key).write_bytes(b"%PDF-" + b"x" * (size - 5))
    conn.execute(
        "insert into ops.export_logs (id, user_id, export_type, format, language, filters, run_id, file_name, "
        "file_url, store, key, size_bytes, sha256, status, completed_at) values "
        "(%(key)s, 'u', 'report', 'pdf', 'es', %(filters)s, %(run)s, 'reporte.pdf', '', "
        "%(store)s, %(key)s, %(size)s, 'x', 'completed', now())",
        {
            "key": key,
            "filters": Jsonb({"week": str(week), **about}),
            "run": run_id,
            "store": f"folder:{folder}",
            "size": size,
        },
    )
    return key


def test_the_weeks_report_is_mailed_once_and_one_that_is_too_large_as_a_hint(
    conn: psycopg.Connection, settings: Settings, office: PostOffice
) -> None:
    today = settings.today()
    week = today - timedelta(days=today.weekday() + 7)
    report(conn, settings, week, 500, run_id=None)
    report(conn, settings, week - timedelta(days=70), 500)
    assert deliver(conn, settings) == [], "what somebody exported, and what is old, is mailed by nobody"
    report(conn, settings, week, 600)
    office.refusal = "451 later"
    assert deliver(conn, settings) == [f"report of {week}: waits: the SMTP server answered 451"]
    office.refusal = ""
    later(conn, minutes=2)
    assert deliver(conn, settings) == [f"report of {week}: mailed to 1"]
    report(conn, settings, week, 700)  # made again by hand
    assert deliver(conn, settings) == []
    (mail,) = office.take()
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("reporte.pdf", "application/pdf")
    assert attached.get_content().startswith(b"%PDF-") and len(attached.get_content()) == 600
    assert f"El reporte de la semana del {week}" in mail.get_body().get_content()
    conn.execute("delete from ops.notifications")
    conn.execute("delete from ops.export_logs")
    key = report(conn, settings, week, 2000)
    assert deliver(conn, settings) == [f"report of {week}: mailed to 1"]
    (mail,) = office.take()
    assert not list(mail.iter_attachments()) and f"b2chat exports link {key}" in mail.get_content()


def test_of_several_sources_the_report_of_the_first_is_the_weeks(
    conn: psycopg.Connection, settings: Settings, office: PostOffice
) -> None:
    conn.execute("create schema if not exists marts")
    conn.execute(
        "create table marts.scope_members as select 'source' as scope, 'b2chat' as scope_id, true as is_default"
    )
    today = settings.today()
    week = today - timedelta(days=today.weekday() + 7)
    report(conn, settings, week, 500)
    report(conn, settings, week, 501, source="rooms")
    assert deliver(conn, settings) == [], "what is of all without times, or of another, was asked for by somebody"
    report(conn, settings, week, 502, source="b2chat")
    assert deliver(conn, settings) == [f"report of {week}: mailed to 1"]
    assert len(office.take()) == 1
