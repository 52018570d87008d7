"""A message, a record or an answer that is far too large: memory is bounded, nothing is lost, and the rest goes on."""

import subprocess
import sys
from datetime import date

import orjson
import psycopg
import pytest

from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.b2chat import client
from tests.support.listed import CLIENT_ID, SECRET, ListedSource, chat, client_of, serving
from tests.support.syncing import sync_b2chat

SYNC = """
import os, sys
from datetime import date
from benchmarks.peak_memory import peak_of
from dagster_project.sources.b2chat.client import B2ChatClient
from tests.support.syncing import sync_b2chat
url, base_url, client_id, secret = sys.argv[1:]
before = peak_of(os.getpid())
with B2ChatClient(base_url, client_id, secret, requests_per_second=1000) as client:
    sync_b2chat(url, client, entity="chats", start_date=date(2025, 10, 1), today=date(2025, 10, 2), lookback_days=30,
         triggered_by="test")
print((peak_of(os.getpid()) - before) >> 20)
"""


def peak_of_sync(url: str, base_url: str) -> int:
    """MiB that a process which synchronizes takes at its peak, beyond what it took before."""
    done = subprocess.run(
        [sys.executable, "-c", SYNC, url, base_url, CLIENT_ID, SECRET],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout.splitlines()[-1])


def test_a_message_of_50_mb_is_cut_with_a_flag_its_bytes_are_kept_and_memory_is_bounded(database_url: str) -> None:
    text = "lote " * 10_485_760 + "\U0001f600"  # one emoji makes Python hold four bytes a sign
    said = [
        {"created_at": f"2025-10-01 09:0{n}:00", "incoming": True, "type": "TEXT", "body": body}
        for n, body in enumerate(("hola", text))
    ]
    with serving(ListedSource([chat("before"), chat("huge", messages=said), chat("after")])) as sandbox:
        peak = peak_of_sync(database_url, sandbox.base_url)
    assert peak < 500, f"{peak} MiB; it took 755 when two passes of a day met in memory, now 418"
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select count(*) from raw.b2chat_chats").fetchone() == (3,)
        row = conn.execute(
            "select payload #>> '{messages, 1, body}', cleaned, payload_bytes from raw.b2chat_chats "
            "where chat_id = 'huge'"
        ).fetchone()
    assert row is not None
    shown, cleaned, whole = row
    assert shown == text[:1_000_000] + "…"
    assert cleaned == [{"path": "messages[1].body", "rule": "text_cut"}]
    assert orjson.loads(whole)["messages"][1]["body"] == text


def test_an_answer_that_is_too_large_is_read_in_parts_and_a_record_that_is_goes_to_quarantine_alone(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(client, "MAX_ANSWER_BYTES", 20_000)
    monkeypatch.setattr(client, "MAX_RECORD_BYTES", 50_000)
    chats = [chat(f"c{number:03}", alias="x" * 200) for number in range(200)]  # some 70 KB
    chats[40]["viewer_url"], chats[150]["viewer_url"] = "canary " * 4_000, "canary " * 10_000
    source = ListedSource(chats)
    with serving(source) as sandbox, client_of(sandbox) as reader:
        result = sync_b2chat(
            database_url,
            reader,
            entity="chats",
            start_date=date(2025, 10, 1),
            today=date(2025, 10, 1),
            lookback_days=30,
            triggered_by="test",
        )
    assert result.status == "success"
    assert len(source.queries) < 100  # two passes over 70 KB, of answers of 20 KB at most
    with psycopg.connect(database_url) as conn:
        landed = {row[0] for row in conn.execute("select chat_id from raw.b2chat_chats")}
        refused = conn.execute("select rule, payload_bytes from raw.quarantine").fetchall()
    assert landed == {one["chat_id"] for one in chats} - {"c150"}
    assert [rule for rule, _ in refused] == ["record_too_large"]
    assert b"offset 150" in refused[0][1]
    assert "canary" not in caplog.text + str(refused)
