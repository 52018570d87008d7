"""What the list of erased people costs a page that lands: `python benchmarks/suppression.py`, on a throw-away server.

Pages of 100 and 1,000 new chats of twenty messages, with nobody, 1,000 and 100,000 people on the list; each page has
one of them. CPU of this process and of Postgres, the best of five, each in a transaction that is rolled back.
"""

import hashlib
import json
import os
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from dagster_project.ingestion.records.landing import land_page
from dagster_project.settings import Settings
from dagster_project.sources.b2chat.answers import Item
from dagster_project.sources.b2chat.entities import CHATS
from dagster_project.sources.b2chat.records import read_record
from dagster_project.sources.b2chat.windows import Window
from dagster_project.sources.contract import Page, Record
from dagster_project.warehouse import embedded, migrations, suppression
from dagster_project.warehouse.connection import connect

ROUNDS, DAY = 5, date(2025, 10, 1)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["B2CHAT_DATA_DIR"] = str(Path(folder) / "data")
        Path(folder).chmod(0o755)
        with embedded.running(Path(folder) / "pg", throwaway=True) as url:
            migrations.upgrade(url)
            with connect(url, autocommit=True) as conn:
                listed = 0
                for people in (0, 1_000, 100_000):
                    _list(conn, people - listed, listed)
                    listed = people
                    for size in (100, 1_000):
                        seconds = min(_land(conn, size) for _ in range(ROUNDS))
                        print(f"{people:>7,} on the list, {size:>5,} chats: {seconds * 1000:8.1f} ms")


def _list(conn: psycopg.Connection, more: int, after: int) -> None:
    if more:
        hashed = suppression.writer(conn, Settings.load())
        suppression.add(conn, (hashed(f"contact:{after + number}") for number in range(more)), "erased-x")
        conn.execute("analyze ops.suppressed_people")


def _land(conn: psycopg.Connection, size: int) -> float:
    records = [_chat(number, 5 if number == 0 else 10_000_000 + number) for number in range(size)]
    page = Page(CHATS, Window("chats", DAY, DAY), records, [], size, is_last=False, is_complete=False, total=size)
    try:
        with conn.transaction():
            began = time.process_time() + _server_seconds(conn)
            land_page(conn, page, "benchmark")
            took = time.process_time() + _server_seconds(conn) - began
            raise _Undo
    except _Undo:
        return took


class _Undo(Exception):
    """The page is taken back."""


def _server_seconds(conn: psycopg.Connection) -> float:
    """CPU that this session's process has used."""
    fields = Path(f"/proc/{conn.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _chat(number: int, contact: int) -> Record:
    said: list[dict[str, Any]] = [
        {
            "body": hashlib.sha256(f"{number} {place}".encode()).hexdigest(),
            "incoming": place % 2 == 0,
            "created_at": f"2025-10-01 09:{place:02}:00",
            "type": "TEXT",
            "broadcasted": False,
        }
        for place in range(20)
    ]
    value = {
        "chat_id": f"chat-{number}",
        "created_at": "2025-10-01 09:00:00",
        "status": "CLOSED",
        "messages": said,
        "contact": {"id": contact, "name": f"Cliente {contact}", "mobile_number": f"+57300{contact:07}"},
    }
    record = read_record("chats", Item(0, json.dumps(value), value))
    assert isinstance(record, Record)
    return record


if __name__ == "__main__":
    main()
